import ConclaveBoard
import ConclaveBus

/// `conclave board watch`: notes as they are posted.
enum WatchCommand: Command {
  private static let count = Option(
    "count", short: "n", value: "N", "end after N notes, with exit code 0")
  private static let timeout = Option(
    "timeout", value: "TIME", "end when nothing arrived for this long, with exit code 4")
  private static let since = Option(
    "since", value: "TIME",
    "begin with what was said at this time or later, such as 2026-11-21T09:05:00Z, or -10m for "
      + "ten minutes ago; needs --transport file or mirror")

  static let usage = Usage(
    "board watch", "print notes as they are posted",
    details: """
      One note a line, as board read --all prints them, or with --json one JSON object
      a line. Begins with what is posted from now on. Until SIGINT or SIGTERM, or for
      as long as --count and --timeout say.
      """,
    options: [
      count, timeout, .boardKind, since, .boardTopic, .boardTransport,
    ] + Option.place,
    examples: [
      Example("see what the tasks find out", "conclave board watch"),
      Example(
        "wait for the next warning", "conclave board watch --kind warning --count 1 --json"),
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let limit = try arguments.value(count, form: "a whole number from 1 up", parseCount) ?? .max
    let idle = try arguments.duration(timeout)
    let kind = try arguments.boardKind()
    let since = try arguments.boardSince()
    let board = try arguments.openBoard(console)
    defer { board.bus.close() }
    let notes = DeliveryNotes(notes: console.notes)
    let reader = try board.reader(
      from: since.map { .since($0) } ?? .now, onWarning: { notes.warn($0) })
    defer { reader.cancel() }
    let interruption = try Interruption.watch(output: true) { reader.cancel() }
    let printed = try follow(reader, kind, limit: limit, idle: idle, console)
    if let exit = interruption.exitCode { return exit }
    guard let idle, printed < limit, !reader.isEnded else { return .success }
    throw ToolError(
      .timedOut, code: "timeout", "nothing arrived for \(decimal(idle / .seconds(1), digits: 3)) s",
      hint: "wait longer with --timeout, or begin earlier with --since")
  }

  /// - Returns: how many were printed.
  private static func follow(
    _ reader: BoardReader, _ kind: BoardKind?, limit: Int, idle: Duration?, _ console: Console
  ) throws -> Int {
    var watchdog = BoardWatchdog(console.notes)
    var printed = 0
    var deadline = idle.map { ContinuousClock.now + $0 }
    while printed < limit {
      let left = deadline.map { ContinuousClock.now.duration(to: $0) }
      guard let item = try reader.next(timeout: left) else { break }
      watchdog.look(at: reader)
      guard (kind ?? item.kind) == item.kind else { continue }
      let line = console.json ? item.json.text : BoardRendering.line(of: item)
      try console.output.write(line + "\n")
      // Whoever reads us gets every line now.
      try console.output.flush()
      printed += 1
      deadline = idle.map { ContinuousClock.now + $0 }
    }
    watchdog.look(at: reader)
    return printed
  }
}
