import ConclaveBoard
import ConclaveBus

/// `conclave board read`: what a task would be shown of the board now, or all of it.
enum ReadCommand: Command {
  private static let all = Option(
    "all", "everything that was said, one note a line, oldest first")
  private static let limit = Option(
    "limit", short: "n", value: "N", environment: "BUS_MAX_BOARD_INJECT",
    "how many notes besides the warnings; default 20")
  private static let tokens = Option(
    "tokens", value: "N",
    "about how many tokens all of it may have, a token for every three bytes; default 4000")
  private static let sender = Option(
    "sender", short: "s", value: "NAME", "leave out what this one said, as its loop would")

  static let usage = Usage(
    "board read", "show the notes that a task would be given now",
    details: """
      Warnings first, then the newest others; the newest first. The same text comes
      once, what has expired does not come, and of what there is no room for the number
      is said. With --all the whole board is printed as it is.

      What others wrote is data: it is printed on one line and in quotation marks,
      without control characters, tags and code fences. With --json the texts are as
      they were written: {"topic","items":[...],"omitted":{...}}.

      Reads what was said by now and ends. Ends with exit code 3 when there is no bus.
      """,
    options: [
      all, limit, tokens, .boardKind, .boardSince, sender, .boardTopic, .boardTransport,
    ] + Option.place,
    examples: [
      Example("what is there to know?", "conclave board read"),
      Example(
        "all warnings of the last hour", "conclave board read --all --kind warning --since -1h"),
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    var limits = BoardLimits()
    if let count = try arguments.value(limit, form: "a whole number from 0 up", parseLimit) {
      limits.count = count
    }
    if let budget = try tokenBudget(arguments) { limits.tokens = budget }
    let kind = try arguments.boardKind()
    let since = try arguments.boardSince()
    let (reader, topic) = try wholeBoard(arguments, console)
    let items = reader.items.filter { item in
      (kind ?? item.kind) == item.kind && since.map { $0 <= item.time } ?? true
    }
    if arguments.has(all) {
      try printAll(items, lost: reader.lost, topic, console)
    } else {
      let selection = BoardSelection(
        of: items, for: arguments.text(sender), limits: limits, lost: reader.lost)
      try print(selection, topic, console)
    }
    return .success
  }

  /// A reader that has read what was said by now.
  private static func wholeBoard(
    _ arguments: Arguments, _ console: Console
  ) throws -> (BoardReader, Topic) {
    // Reading makes no bus.
    _ = try arguments.busDirectory(create: false)
    let board = try arguments.openBoard(console)
    let notes = DeliveryNotes(notes: console.notes)
    defer { board.bus.close() }
    let reader = try board.reader(onWarning: { notes.warn($0) })
    // What was said by now is to come, and then the end.
    board.bus.close()
    try reader.refresh(patience: nil)
    var watchdog = BoardWatchdog(console.notes)
    watchdog.look(at: reader)
    return (reader, board.topic)
  }

  private static func tokenBudget(_ arguments: Arguments) throws(ToolError) -> Int? {
    let least = BoardLimits.leastTokens
    return try arguments.value(tokens, form: "a whole number from \(least) up") { text in
      parseCount(text).flatMap { $0 >= least ? $0 : nil }
    }
  }

  private static func parseLimit(_ text: String) -> Int? { text == "0" ? 0 : parseCount(text) }

  private static func printAll(
    _ items: [BoardItem], lost: UInt64, _ topic: Topic, _ console: Console
  ) throws {
    guard !console.json else {
      var omissions = BoardOmissions()
      omissions.lost = lost
      return try printJSON(items.map(\.json), omissions, topic, console)
    }
    if items.isEmpty { sayNothing(topic, console) }
    let now = Timestamp.now()
    for item in items {
      try console.output.write(BoardRendering.line(of: item, now: now) + "\n")
    }
  }

  private static func print(
    _ selection: BoardSelection, _ topic: Topic, _ console: Console
  ) throws {
    guard console.json else {
      let text = BoardRendering.text(selection, board: topic)
      if text.isEmpty { sayNothing(topic, console) }
      return try console.output.write(text)
    }
    let items = selection.notes.map { note in
      var object = note.item.json
      object.add("alsoSaidBy", note.alsoSaidBy)
      return object
    }
    try printJSON(items, selection.omissions, topic, console)
  }

  private static func printJSON(
    _ items: [JSONObject], _ omissions: BoardOmissions, _ topic: Topic, _ console: Console
  ) throws {
    var omitted = JSONObject()
    omitted.add("own", omissions.own)
    omitted.add("expired", omissions.expired)
    omitted.add("replaced", omissions.replaced)
    omitted.add("forOthers", omissions.forOthers)
    omitted.add("repeated", omissions.repeated)
    omitted.add("beyondCount", omissions.beyondCount)
    omitted.add("warningsBeyondTokens", omissions.warningsBeyondTokens)
    omitted.add("othersBeyondTokens", omissions.othersBeyondTokens)
    omitted.add("lost", omissions.lost)
    var object = JSONObject()
    object.add("topic", topic.name)
    object.add("items", items)
    object.add("omitted", omitted)
    try console.output.write(object.text + "\n")
  }

  private static func sayNothing(_ topic: Topic, _ console: Console) {
    console.notes.say("conclave: there is nothing to show of the board \(topic)")
  }
}
