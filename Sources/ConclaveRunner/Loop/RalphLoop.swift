public import ConclaveBus
import Glibc

/// Has an agent work on one task until its work passes all gates: implement, tests, spec, quality.
///
/// Each iteration is a new call of the agent, which knows of the ones before what the context file
/// says. ``run(_:stop:onEvent:)`` blocks the calling thread; call it on one of your own.
public struct RalphLoop {
  let options: LoopOptions
  let stop: StopSignal
  let say: (LoopEvent) -> Void
  let place: LoopPlace
  let git: GitCommand
  let agent: Agent
  /// What is to pass, as it was found last.
  var tests: TestCommand?
  let clock = SuspendingClock()
  let start: SuspendingClock.Instant
  /// Held as long as the loop lives.
  private let lock: FileLock
  var state: LoopState
  /// The output of the gate that failed last.
  var lastError = ""
  /// The last error that came with output.
  var lastFinding = ""
  /// The agent's final text of this iteration.
  var finalText = ""
  /// What the agent was told in this iteration, but for what came of earlier ones.
  var told = ""
  /// Whether this iteration was interrupted, so that what it finds may be its own work.
  var goesOn = false
  /// The worktree when the agent had ended in this iteration.
  var tree = ""

  /// - Parameters:
  ///   - stop: ends the loop, with state kept and nothing left running.
  ///   - onEvent: called on this thread.
  /// - Throws: what makes it impossible to begin, with nothing changed: `notFound`, `unsupported`,
  ///   `permissionDenied`, `busy`, `noSpace`, `invalidPayload`, `corrupt`; later only what makes it
  ///   impossible to go on, such as a full disk, with the state of the last gate kept.
  public static func run(
    _ options: LoopOptions, stop: StopSignal = StopSignal(),
    onEvent: @escaping (LoopEvent) -> Void = { _ in }
  ) throws(BusError) -> LoopOutcome {
    let preflight = try Preflight(options, stop)
    var loop = try RalphLoop(options, preflight, stop, onEvent)
    do throws(BusError) {
      return try loop.run(resumed: preflight.resumed != nil)
    } catch {
      // On a full disk this fails as well, and the state of the last gate stays.
      loop.state.status = .interrupted
      loop.state.reason = error.message
      try? loop.save()
      throw error
    }
  }

  private init(
    _ options: LoopOptions, _ preflight: Preflight, _ stop: StopSignal,
    _ say: @escaping (LoopEvent) -> Void
  ) throws(BusError) {
    self.options = options
    self.stop = stop
    self.say = say
    place = preflight.place
    git = preflight.git
    agent = preflight.agent
    tests = preflight.tests
    start = clock.now
    // First of all: the lock's own file must not be seen by git.
    try WorkSnapshot.ignoreOwnFiles(git)
    lock = try LoopLock.take(place)
    let branch = preflight.repository.branch ?? ""
    state =
      preflight.resumed
      ?? LoopState(
        taskID: options.taskID ?? FailedWork.slug(branch), task: options.task,
        maxIterations: options.maxIterations ?? LoopOptions.usualIterations,
        agent: options.agent.name, branch: branch, base: preflight.repository.head ?? "")
    if let limit = options.maxIterations { state.maxIterations = limit }
    // The last iteration may have been ended before it failed, or because it did.
    if state.attempts.last?.iteration == state.iteration { state.iteration += 1 }
    state.agent = options.agent.name
    guard state.branch == branch else {
      throw BusError(
        .busy, "the unfinished loop is on the branch \(state.branch), and this is \(branch)",
        hint: "git switch \(state.branch), or begin anew with --fresh")
    }
  }

  private mutating func run(resumed: Bool) throws(BusError) -> LoopOutcome {
    try prepare(resumed: resumed)
    say(
      .began(
        taskID: state.taskID, iteration: state.iteration, of: state.maxIterations, resumed: resumed)
    )
    while true {
      if let end = try endBetweenGates() { return try finish(end) }
      guard state.iteration <= state.maxIterations else { return try finishUsedUp() }
      say(.iteration(state.iteration, of: state.maxIterations))
      if let end = try pass() { return try finish(end) }
    }
  }

  /// One iteration. What fails since the loop is to end, such as git commands that are ended as
  /// well, is said, and is not why it ends.
  private mutating func pass() throws(BusError) -> LoopOutcome.End? {
    do throws(BusError) {
      return try iterate()
    } catch {
      guard stop.reason != nil, let end = try endBetweenGates() else { throw error }
      say(.note(error.message))
      return end
    }
  }

  private mutating func prepare(resumed: Bool) throws(BusError) {
    try DurableFile.makeFolder(place.folder)
    WorkSnapshot.removeStaleLock(folder: place.folder)
    DurableFile.removeHalfWritten(in: place.folder)
    DurableFile.removeHalfWritten(
      in: place.top, of: [".ralph_state.json", ".ralph_context.md"])
    place.remove(place.stopFile)
    if !resumed { place.remove(place.addedFile) }
    goesOn = resumed
    let orphans = ProcessFamily.endOrphans(
      ofWorktree: place.top, grace: options.timeLimits.grace)
    if orphans > 0 {
      say(.note("ended \(counted(orphans, "process", "processes")) that a killed loop had left"))
    }
    if resumed, let bytes = try DurableFile.read("\(place.folder)/last-error") {
      lastError = String(decoding: bytes, as: UTF8.self)
    }
    state.status = .running
    state.reason = ""
    state.failedBranch = ""
    try save()
  }

  /// Why to end now, at a moment when nothing runs; nil to go on.
  mutating func endBetweenGates() throws(BusError) -> LoopOutcome.End? {
    if let reason = stop.reason {
      state.reason = reason == .interrupt ? "interrupted" : "terminated"
      return .interrupted(reason)
    }
    if place.exists(place.stopFile) {
      place.remove(place.stopFile)
      state.reason = "stopped on request"
      return .stopped
    }
    if remaining <= .zero {
      state.reason = "the time for the whole loop is over"
      return .timedOut
    }
    if let limit = options.maxCost, state.cost >= limit {
      state.reason = "the cost has reached the limit of \(limit) US dollars"
      return .tooExpensive
    }
    return nil
  }

  /// What is left of the time for the whole loop.
  var remaining: Duration { options.timeLimits.global - start.duration(to: clock.now) }

  mutating func save() throws(BusError) {
    state.timestamp = Timestamp.now().description
    try place.write(state)
  }

  private mutating func finish(
    _ end: LoopOutcome.End, _ reason: String? = nil
  ) throws(BusError) -> LoopOutcome {
    if let reason { state.reason = reason }
    state.gate = ""
    state.seconds += start.duration(to: clock.now) / .seconds(1)
    switch end {
    case .passed: state.status = .passed
    case .failed, .timedOut, .tooExpensive:
      state.status = .failed
      try save()
      try keepFailedWork()
    case .blocked: state.status = .blocked
    case .interrupted, .astray: state.status = .interrupted
    case .stopped: state.status = .stopped
    }
    try save()
    if end == .passed { place.remove(place.contextFile) }
    return LoopOutcome(end: end, state: state)
  }

  private mutating func finishUsedUp() throws(BusError) -> LoopOutcome {
    state.iteration = state.maxIterations
    let last = LoopAttempt.lastFailure(state.attempts)
    let failed = last.isEmpty ? "" : "; the last failed at \(last)"
    return try finish(
      .failed, "\(state.maxIterations) iterations did not pass all gates\(failed)")
  }

  private mutating func keepFailedWork() throws(BusError) {
    guard
      let branch = try FailedWork.keep(
        git, folder: place.folder, base: state.base, task: state.taskID, reason: state.reason)
    else { return }
    state.failedBranch = branch
    guard let remote = options.pushRemote else { return }
    let result = try git.run(
      ["push", "--quiet", remote, "refs/heads/\(branch)"], withHooks: options.runsHooks)
    if !result.succeeded {
      say(.note(git.failure(["push"], result).description))
    }
  }
}
