import ConclaveRunner
import Glibc

/// What carrying out a plan takes, besides looking at it.
enum ParallelRunOptions {
  static let maxConcurrent = Option(
    "max-concurrent", value: "N", environment: "PARALLEL_MAX_CONCURRENT",
    "how many tasks are worked on at the same time; default 3")
  static let maxReruns = Option(
    "max-reruns", value: "N", environment: "PARALLEL_MAX_CONFLICT_RERUNS",
    "how often a task is done again whose work cannot be merged; default 2")
  private static let setupCommand = Option(
    "setup-cmd", value: "LINE",
    "a line of shell that prepares each worktree; default: .conclave/setup, or what the "
      + "project's files suggest")
  private static let noSetup = Option("no-setup", "prepare nothing")
  private static let setupTimeout = Option(
    "setup-timeout", value: "TIME", "for each step that prepares; default 900s")
  private static let noGate = Option(
    "no-gate", "merge without running the tests on the merged work")
  private static let allowUnchanged = Option(
    "allow-unchanged", "take a task for done that a reviewer finds done already")
  static let resume = Option("resume", "go on with the run that was interrupted or killed")
  static let retry = Option("retry", "with --resume: try failed tasks again")
  static let fresh = Option(
    "fresh", "begin anew; work of a run that is not over is kept on branches wip/...")
  static let noBoard = Option("no-board", "let tasks tell each other nothing")
  static let noRadar = Option(
    "no-radar", "do not look who changes the same files; without a board nobody looks")
  static let radarInterval = Option(
    "radar-interval", value: "TIME", "how often to look; default 5s")
  static let quiet = RalphOptions.quiet

  /// What is not asked again when a run goes on.
  private static let kept =
    [
      maxConcurrent, maxReruns, setupCommand, noSetup, setupTimeout, noGate, allowUnchanged,
      noBoard, noRadar, radarInterval,
    ] + ReviewOptions.all + loop

  /// What each loop is given as it is.
  private static let loop =
    RalphOptions.work + [RalphOptions.noVerify, RalphOptions.boardLimit, .boardTransport]

  static let all = kept + [resume, retry, fresh, quiet]

  /// What a journal keeps of the command line.
  static func kept(_ arguments: Arguments) -> [String] {
    spelled(arguments, kept + ParallelOptions.kept)
  }

  /// Reads everything but the plan.
  ///
  /// - Throws: ``ToolError`` or `BusError` for what cannot be understood.
  static func read(_ arguments: Arguments, into options: inout FleetOptions) throws {
    var work = LoopOptions(task: "", directory: options.directory)
    try RalphOptions.readWork(arguments, into: &work)
    // The loops read them, and must not be the first to find them wrong.
    _ = try RalphOptions.boardCount(arguments)
    _ = try arguments.word(.boardTransport, of: Transport.self)
    _ = try radar(arguments)
    options.loopArguments = spelled(arguments, loop)
    options.arguments = kept(arguments)
    if let count = try arguments.value(
      maxConcurrent, form: "a whole number from 1 to 1000",
      { text in parseCount(text).flatMap { $0 <= 1000 ? $0 : nil } })
    {
      options.maxConcurrent = count
    }
    if let count = try arguments.value(
      maxReruns, form: "a whole number from 0 to 1000",
      { text in text == "0" ? 0 : parseCount(text).flatMap { $0 <= 1000 ? $0 : nil } })
    {
      options.maxReruns = count
    }
    try readSetup(arguments, into: &options)
    options.gate =
      arguments.has(noGate)
      ? .nothing
      : arguments.text(RalphOptions.testCommand).map(FleetOptions.Line.command) ?? .detected
    options.timeLimits.gate = work.timeLimits.tests
    options.allowsUnchanged = arguments.has(allowUnchanged)
    options.beginning = try beginning(arguments)
  }

  private static func readSetup(
    _ arguments: Arguments, into options: inout FleetOptions
  ) throws(ToolError) {
    guard !(arguments.has(noSetup) && arguments.has(setupCommand)) else {
      throw usageError("--no-setup and --setup-cmd exclude each other", hint: "leave one out")
    }
    if let line = arguments.text(setupCommand) { options.setup = .command(line) }
    if arguments.has(noSetup) { options.setup = .nothing }
    guard let limit = try arguments.duration(setupTimeout) else { return }
    guard limit > .zero else {
      throw usageError("--setup-timeout must be more than 0", hint: "write a time such as 15m")
    }
    options.timeLimits.setup = limit
  }

  /// How often to look, or nil for never.
  static func radar(_ arguments: Arguments) throws(ToolError) -> Duration? {
    guard !(arguments.has(noRadar) && arguments.has(radarInterval)) else {
      throw usageError("--no-radar and --radar-interval exclude each other", hint: "leave one out")
    }
    let interval = try arguments.duration(radarInterval) ?? .seconds(5)
    guard interval > .zero else {
      throw usageError("--radar-interval must be more than 0", hint: "write a time such as 5s")
    }
    return arguments.has(noRadar) || arguments.has(noBoard) ? nil : interval
  }

  static func beginning(_ arguments: Arguments) throws(ToolError) -> FleetOptions.Beginning {
    guard !(arguments.has(resume) && arguments.has(fresh)) else {
      throw usageError("--resume and --fresh exclude each other", hint: "leave one of them out")
    }
    guard arguments.has(resume) || !arguments.has(retry) else {
      throw usageError("--retry is only for a run that goes on", hint: "write --resume --retry")
    }
    if arguments.has(resume) { return .resume(retry: arguments.has(retry)) }
    return arguments.has(fresh) ? .fresh : .usual
  }

  /// Those of `options` that stand on the command line, so that they mean the same elsewhere.
  private static func spelled(_ arguments: Arguments, _ options: [Option]) -> [String] {
    options.compactMap { option in
      guard let text = arguments.written(option) else { return nil }
      guard option.value != nil else { return "--\(option.long)" }
      switch option.long {
      case "agent": return "--agent=\(absolute(text))"
      case "reviewers":
        let names = text.split(separator: ",").map { absolute(String($0.trimmed)) }
        return "--reviewers=\(names.joined(separator: ","))"
      default: return "--\(option.long)=\(text)"
      }
    }
  }

  /// A loop works in another directory, and a run may be gone on with in another one.
  private static func absolute(_ agent: String) -> String {
    guard AgentConfiguration.presets.allSatisfy({ $0.name != agent }),
      let path = unsafe realpath(agent, nil)
    else { return agent }
    defer { unsafe free(path) }
    return unsafe String(cString: path)
  }
}
