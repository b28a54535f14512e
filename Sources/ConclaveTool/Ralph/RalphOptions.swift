import ConclaveBus
import ConclaveRunner
import Glibc

/// What `ralph-run` takes.
enum RalphOptions {
  static let task = Option(
    "task", value: "TEXT|FILE",
    "what is to be done, or the path of a file that says it; - reads standard input")
  static let taskID = Option(
    "task-id", value: "NAME", "the task's name; default: made from the branch")
  static let maxIterations = Option(
    "max-iterations", value: "N", "how often the agent may try; default 5")
  static let implementTimeout = Option(
    "implement-timeout", value: "TIME", environment: "RALPH_TIMEOUT_IMPLEMENT",
    "for each call of the agent; default 1200s")
  static let testTimeout = Option(
    "test-timeout", value: "TIME", environment: "RALPH_TIMEOUT_TEST",
    "for the tests; default 600s")
  static let specTimeout = Option(
    "spec-timeout", value: "TIME", environment: "RALPH_TIMEOUT_SPEC",
    "for the reviewer; default 300s")
  static let qualityTimeout = Option(
    "quality-timeout", value: "TIME", environment: "RALPH_TIMEOUT_QUALITY",
    "for --lint-cmd; default 180s")
  static let globalTimeout = Option(
    "global-timeout", value: "TIME", environment: "RALPH_TIMEOUT_GLOBAL",
    "for everything; default 3600s")
  static let stuckThreshold = Option(
    "stuck-threshold", value: "N", environment: "RALPH_STUCK_THRESHOLD",
    "how many equal failures in a row are too many; default 3")
  static let maxCost = Option(
    "max-cost", value: "DOLLARS", "end when the agent says that it has cost as much")
  static let skipSpec = Option("skip-spec", "leave out the reviewer")
  static let testCommand = Option(
    "test-cmd", value: "LINE", "a line of shell; default: what the project's files suggest")
  static let requireTests = Option("require-tests", "refuse to begin without tests")
  static let lintCommand = Option(
    "lint-cmd", value: "LINE", "a line of shell for the quality gate")
  static let resume = Option("resume", "go on with the loop that has not passed")
  static let fresh = Option("fresh", "begin anew, and forget that loop")
  static let push = Option(
    "push", value: "REMOTE", "push the branch with failed work; by default nothing is pushed")
  static let noPush = Option("no-push", "push nothing, which is the default")
  static let noCommit = Option("no-commit", "leave what has passed uncommitted")
  static let noVerify = Option("no-verify", "commit without the repository's hooks")
  static let allowProtected = Option("allow-protected", "work on main or master, too")
  static let allowDirty = Option(
    "allow-dirty", "begin with uncommitted changes; they become part of the work")
  static let boardDirectory = Option(
    "board-dir", value: "DIR", "the bus with the board that this task reads and writes")
  static let boardTopic = Option(
    "board-topic", value: "TOPIC", "the board's topic; default board, in the bus of this place")
  static let boardLimit = Option(
    "board-limit", value: "N", environment: "BUS_MAX_BOARD_INJECT",
    "how many notes besides the warnings an iteration is told; default 20")
  static let quiet = Option("quiet", short: "q", "say nothing before the end")

  /// How a task is worked on, whichever it is and wherever: also for who has others run loops.
  static let work =
    [
      maxIterations, implementTimeout, testTimeout, specTimeout, qualityTimeout, globalTimeout,
      stuckThreshold, maxCost, skipSpec,
    ] + AgentOptions.all + [testCommand, requireTests, lintCommand]

  static let all =
    [task, taskID] + work + [
      resume, fresh, push, noPush, noCommit, noVerify, allowProtected, allowDirty, boardDirectory,
      boardTopic, boardLimit, .boardTransport, quiet,
    ]

  /// - Throws: ``ToolError`` or `BusError` for what cannot be understood.
  static func read(_ arguments: Arguments) throws -> LoopOptions {
    guard !(arguments.has(resume) && arguments.has(fresh)) else {
      throw usageError("--resume and --fresh exclude each other", hint: "leave one of them out")
    }
    guard arguments.has(task) || arguments.has(resume) else {
      throw usageError("option --task is missing", hint: "say what is to be done, or --resume")
    }
    var options = LoopOptions(
      task: try arguments.text(task).map(TaskText.read) ?? "", directory: try workingDirectory())
    options.taskID = try taskName(arguments)
    options.beginning =
      arguments.has(resume) ? .resume : arguments.has(fresh) ? .fresh : .usual
    try readWork(arguments, into: &options)
    options.pushRemote = arguments.has(noPush) ? nil : arguments.text(push)
    options.allowsProtected = arguments.has(allowProtected)
    options.allowsDirty = arguments.has(allowDirty)
    options.commits = !arguments.has(noCommit)
    options.runsHooks = !arguments.has(noVerify)
    return options
  }

  /// How many notes are shown; nil when nothing is said.
  static func boardCount(_ arguments: Arguments) throws(ToolError) -> Int? {
    try arguments.value(
      boardLimit, form: "a whole number from 0 up", { $0 == "0" ? 0 : parseCount($0) })
  }

  /// Reads what ``work`` declares.
  static func readWork(_ arguments: Arguments, into options: inout LoopOptions) throws {
    if let count = try count(arguments, maxIterations) { options.maxIterations = count }
    if let count = try count(arguments, stuckThreshold) { options.stuckThreshold = count }
    options.maxCost = try arguments.value(maxCost, form: "a number such as 2.50") { text in
      Double(text).flatMap { $0 > 0 && $0.isFinite ? $0 : nil }
    }
    options.timeLimits = try timeLimits(arguments)
    options.agent = try AgentOptions.read(arguments)
    options.skipsSpec = arguments.has(skipSpec)
    options.testCommand = arguments.text(testCommand)
    options.lintCommand = arguments.text(lintCommand)
    options.requiresTests = arguments.has(requireTests)
  }

  private static func count(
    _ arguments: Arguments, _ option: Option
  ) throws(ToolError) -> Int? {
    try arguments.value(option, form: "a whole number from 1 to 1000000") { text in
      parseCount(text).flatMap { $0 <= 1_000_000 ? $0 : nil }
    }
  }

  /// It becomes a sender on the bus and part of a branch's name.
  private static func taskName(_ arguments: Arguments) throws(ToolError) -> String? {
    try arguments.value(taskID, form: "1 to 64 letters, digits, dots, dashes or underscores") {
      let isName = $0.unicodeScalars.allSatisfy {
        $0.isASCII
          && ($0.properties.isAlphabetic || ("0"..."9").contains($0)
            || "._-".unicodeScalars.contains($0))
      }
      return isName && (1...64).contains($0.utf8.count) ? $0 : nil
    }
  }

  private static func timeLimits(
    _ arguments: Arguments
  ) throws(ToolError) -> LoopOptions.TimeLimits {
    var limits = LoopOptions.TimeLimits()
    let places: [(Option, WritableKeyPath<LoopOptions.TimeLimits, Duration>)] = [
      (implementTimeout, \.implement), (testTimeout, \.tests), (specTimeout, \.spec),
      (qualityTimeout, \.quality), (globalTimeout, \.global),
    ]
    for (option, place) in places {
      guard let limit = try arguments.duration(option) else { continue }
      guard limit > .zero else {
        throw usageError("--\(option.long) must be more than 0", hint: "write a time such as 20m")
      }
      limits[keyPath: place] = limit
    }
    return limits
  }

  static func workingDirectory() throws(ToolError) -> String {
    guard let path = unsafe getcwd(nil, 0) else {
      throw ToolError(
        .failure, code: "system", "there is no working directory: \(errorText(errno))")
    }
    defer { unsafe free(path) }
    return unsafe String(cString: path)
  }
}
