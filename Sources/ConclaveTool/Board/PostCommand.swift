import ConclaveBoard
import ConclaveBus

/// `conclave board post`: one note, from the arguments or from standard input.
enum PostCommand: Command {
  private static let sender = Option(
    "sender", short: "s", value: "NAME",
    "who says it, for instance task-3; default: the login name")
  private static let ttl = Option(
    "ttl", value: "TIME",
    "how long it counts, at most 24h; default: an intent 30m, all else without end")
  private static let provisional = Option(
    "provisional", "an attempt that failed says so: others are shown it as unconfirmed")

  static let usage = Usage(
    "board post", "say something to the others",
    details: """
      KIND is discovery (a fact that helps others), warning (a pitfall), intent (what
      you are about to change) or context. The text is what the arguments say, with a
      space between them, or standard input; the white space around it is left out.
      It has at most 4096 bytes: a sentence or two, naming a file if there is more.

      The note is on the bus at once and, unless --transport shm is used, in the
      board's topic file. Prints nothing, or with --json {"posted":1}.
      """,
    operands: [
      Operand("KIND", "discovery, warning, intent or context"),
      Operand(
        "TEXT", isRequired: false, isRepeated: true,
        "what there is to say; without it, or with - alone, standard input is read"),
    ],
    options: [sender, ttl, provisional, .boardTopic, .boardTransport] + Option.place,
    examples: [
      Example(
        "a pitfall", "conclave board post warning \"package X 2 breaks auth\" --sender task-3"),
      Example(
        "what you are about to change",
        "conclave board post intent Modifying src/auth.swift -s task-3 --ttl 10m"),
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    // Before the bus: what cannot be posted must not make one.
    let note = try note(arguments, console)
    let board = try arguments.openBoard(console)
    defer { board.bus.close() }
    try board.post([note], from: arguments.text(sender) ?? loginName())
    if console.json { try console.output.write("{\"posted\":1}\n") }
    return .success
  }

  private static func note(_ arguments: Arguments, _ console: Console) throws -> BoardNote {
    guard let kind = BoardKind(rawValue: arguments.operands[0]) else {
      let names = BoardKind.allCases.map(\.rawValue).joined(separator: ", ")
      throw usageError(
        "there is no kind of note \(quoted(arguments.operands[0]))", hint: "write one of \(names)")
    }
    let lifetime = try arguments.duration(ttl)
    guard lifetime.map({ $0 > .zero && $0 <= BoardItem.longestLifetime }) ?? true else {
      throw usageError("--ttl is not more than 0 and at most 24h", hint: "write a time such as 10m")
    }
    return try BoardNote(
      kind, text(arguments, console), isProvisional: arguments.has(provisional),
      scope: BoardScope(expires: lifetime.map { Timestamp.now().later(by: $0) }))
  }

  private static func text(_ arguments: Arguments, _ console: Console) throws -> String {
    let words = arguments.operands.dropFirst()
    guard words.isEmpty || Array(words) == ["-"] else { return words.joined(separator: " ") }
    if Input.isTerminal, !console.json {
      console.notes.say("conclave: type the text; Ctrl-D ends it")
    }
    var input = Input()
    let bytes = try input.readAll()
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw BusError(
        .invalidPayload, "the text is not valid UTF-8", hint: "convert it to UTF-8 first")
    }
    return text
  }
}
