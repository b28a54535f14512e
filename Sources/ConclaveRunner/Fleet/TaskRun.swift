import ConclaveBus
import Glibc

/// One attempt at a task, from its new worktree to the end of its loop. Blocks; used by one thread.
struct TaskRun: Sendable {
  let site: FleetSite
  let options: FleetOptions
  let place: TaskPlace
  let attempt: Int
  /// The file that says what is to be done.
  let taskFile: String
  /// Whether a loop goes on that was interrupted.
  let resumes: Bool
  let board: FleetBoardPlace?
  let stop: StopSignal
  let say: @Sendable (FleetEvent) -> Void

  /// Whatever goes wrong is the task's failure, not the run's, unless it would meet all tasks.
  func run() -> TaskResult {
    do throws(BusError) {
      log("=== \(Timestamp.now()) \(place.name), attempt \(attempt)\(resumes ? ", resumed" : "")")
      if resumes, let done = try ended() { return done }
      if !canResume, let failure = try prepare() { return failure }
      return try judge(try loop())
    } catch {
      return TaskResult(task: place.task, attempt: attempt, error, "\(error)")
    }
  }

  /// What stands in the way, or nil.
  private func prepare() throws(BusError) -> TaskResult? {
    let steps = SetupStep.steps(options.setup, worktree: place.worktree, top: site.top)
    for step in steps {
      let result: ChildResult
      do throws(BusError) { result = try run(step) } catch  where !step.isRequired {
        log("set-up \(step.name): left out: \(error.message)")
        continue
      }
      log("set-up \(step.name): \(result.words)")
      if result.cause == .stopSignal { return ended(.interrupted, "interrupted") }
      guard result.succeeded || !step.isRequired else {
        let words = result.cause == .timeLimit ? "its time is over" : result.words
        return ended(.failed, "the set-up (\(step.name)) failed: \(words); see \(place.log)")
      }
    }
    if steps.isEmpty { return nil }
    let changes = try RepositoryState.changes(site.git.elsewhere(place.worktree))
    guard let first = changes.first else { return nil }
    return ended(
      .failed,
      "the set-up leaves files that git does not ignore, \(shown(first)) for one; "
        + "add them to .gitignore")
  }

  private func run(_ step: SetupStep) throws(BusError) -> ChildResult {
    var environment = site.environment
    environment[FleetPreflight.taskVariable] = place.name
    environment[ProcessFamily.worktreeName] = place.worktree
    let program = try Executable.find(
      step.command[0], environment: environment, directory: place.worktree)
    var request = ChildRequest(
      program, Array(step.command.dropFirst()), environment: environment,
      directory: place.worktree)
    request.timeLimit = options.timeLimits.setup
    request.grace = options.timeLimits.grace
    request.outputFile = place.log
    return try ChildRun.run(request, stop: stop)
  }

  private func loop() throws(BusError) -> ChildResult {
    var environment = site.environment
    environment[FleetPreflight.taskVariable] = place.name
    environment[FleetMark.parent] = "\(getpid())"
    environment.merge(board?.environment ?? [:]) { _, new in new }
    var request = ChildRequest(
      options.program, arguments, environment: environment, directory: place.worktree)
    request.grace = options.timeLimits.loopGrace
    request.outputFile = place.log
    request.looksAfterItsOwn = true
    var progress = LoopProgress(place)
    let result = try ChildRun.run(
      request, stop: stop,
      onWake: { _ in
        if let event = progress.event() { say(event) }
      })
    if result.exit != .code(0) {
      // One that was killed could not look after its own.
      let top = (try? RepositoryState.of(place.worktree, environment: site.environment))?.top
      let count = ProcessFamily.endOrphans(
        ofWorktree: top ?? place.worktree, grace: options.timeLimits.grace)
      if count > 0 {
        say(.note("ended \(counted(count, "process", "processes")) that \(place.name) had left"))
      }
    }
    return result
  }

  private var arguments: [String] {
    var arguments = ["ralph-run", "--task-id", place.name]
    arguments += canResume ? ["--resume"] : ["--task", taskFile, "--fresh"]
    if let board {
      arguments += ["--board-dir", board.directory, "--board-topic", board.topic]
    }
    return arguments + options.loopArguments
  }

  /// A loop that was killed before it wrote its state begins anew.
  private var canResume: Bool { resumes && state() != nil }

  private func state() -> LoopState? {
    (try? LoopPlace(containing: place.worktree, environment: site.environment).readState()) ?? nil
  }

  private func judge(_ result: ChildResult) throws(BusError) -> TaskResult {
    let state = state()
    switch result.exit {
    case .code(0): return try passed(state)
    // The command's exit codes for permissions and for what is used up, such as a disk.
    case .code(7): return hindered(.permissionDenied, result, state)
    case .code(8): return hindered(.noSpace, result, state)
    case .code(9): return ended(.blocked, state?.reason ?? "a person is needed", state)
    case .signal, .code(130), .code(143):
      let isOurs = result.cause == .stopSignal || stop.reason != nil
      if isOurs { return ended(.interrupted, "interrupted", state) }
      return ended(.failed, "its loop was ended from outside: \(result.words)", state)
    default:
      if state?.status == .stopped { return ended(.interrupted, "stopped on request", state) }
      let isSaid = state?.status == .failed && state?.reason.isEmpty == false
      return ended(.failed, isSaid ? state?.reason ?? "" : lastWords(result), state)
    }
  }

  /// What keeps the loop from going on keeps others from it, too.
  private func hindered(
    _ code: BusError.Code, _ result: ChildResult, _ state: LoopState?
  ) -> TaskResult {
    var words = lastLine[...]
    // The command's name, before its error.
    if let colon = words.firstRange(of: ": "), !words[..<colon.lowerBound].contains(" ") {
      words = words[colon.upperBound...]
    }
    var ended = ended(.interrupted, words.isEmpty ? lastWords(result) : String(words), state)
    ended.hindrance = code
    return ended
  }

  /// How a loop ended that ended before anybody could write it down; nil for one that has not.
  private func ended() throws(BusError) -> TaskResult? {
    guard let state = state() else { return nil }
    switch state.status {
    case .passed: return try passed(state)
    case .failed: return ended(.failed, state.reason, state)
    case .blocked: return ended(.blocked, state.reason, state)
    case .running, .interrupted, .stopped: return nil
    }
  }

  /// The loop has passed; is there anything to show for it?
  private func passed(_ state: LoopState?) throws(BusError) -> TaskResult {
    guard let tip = try site.worktree(place).tip() else {
      return ended(.failed, "the branch \(place.branch) is gone", state)
    }
    let isEmpty = try site.git.run(["diff", "--quiet", place.base, tip]).exit == .code(0)
    guard !isEmpty || options.allowsUnchanged else {
      return ended(.failed, "it passed without having changed anything", state)
    }
    var result = ended(.passed, "", state)
    result.tip = tip
    result.isTested = state?.isTested ?? false
    return result
  }

  private func ended(_ end: TaskEnd, _ reason: String, _ state: LoopState? = nil) -> TaskResult {
    var result = TaskResult(task: place.task, attempt: attempt, end: end)
    result.reason = reason
    if let state {
      result.iterations = state.iteration
      result.seconds = state.seconds
      result.cost = state.cost
      result.agent = state.agent
      result.kept = end == .failed ? state.failedBranch : ""
    }
    return result
  }

  /// What its program said last: for one that could not begin, the error.
  private func lastWords(_ result: ChildResult) -> String {
    "its loop ended with \(result.words): \(lastLine)"
  }

  private var lastLine: String {
    let bytes = (try? DurableFile.read(place.log)) ?? nil
    let lines = String(decoding: (bytes ?? []).suffix(4096), as: UTF8.self)
      .split(whereSeparator: \.isNewline)
    let words = lines.last.map { ErrorFingerprint.plain($0) } ?? ""
    return String(words.prefix(300))
  }

  private func log(_ line: String) { LogFile(path: place.log).say(line) }
}

/// Tells where a loop is by the state that it writes.
private struct LoopProgress {
  private let place: TaskPlace
  private var last = ""

  init(_ place: TaskPlace) { self.place = place }

  /// nil when nothing has changed.
  mutating func event() -> FleetEvent? {
    guard let state = LoopState(in: place.worktree) else { return nil }
    let now = "\(state.iteration) \(state.gate)"
    if now == last { return nil }
    last = now
    return .taskGate(
      place.task, iteration: state.iteration, of: state.maxIterations, gate: state.gate)
  }
}
