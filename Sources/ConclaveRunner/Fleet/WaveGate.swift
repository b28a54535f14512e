import ConclaveBus
import Glibc

/// Runs the tests on merged work before the branch gets it, in a worktree of its own. Blocks; used
/// by one thread.
struct WaveGate {
  enum Verdict: Hashable, Sendable {
    case passed
    /// What the tests said, shortened.
    case failed(String)
    /// There are no tests.
    case skipped
    case stopped
  }

  let site: FleetSite
  let options: FleetOptions
  /// What the tests say.
  let log: LogFile
  let stop: StopSignal

  var worktree: String { site.gateWorktree }

  /// - Throws: when there can be no such worktree.
  func judge(_ commit: String) throws(BusError) -> Verdict {
    guard stop.reason == nil else { return .stopped }
    if options.gate == .nothing { return .skipped }
    try checkOut(commit)
    if let failure = try prepare() { return failure }
    guard let command = try command() else { return .skipped }
    let result = try run(command, options.timeLimits.gate)
    log.say("=== \(Timestamp.now()) \(commit): \(result.words)\n\(result.output.text)")
    if result.cause == .stopSignal { return .stopped }
    if result.succeeded { return .passed }
    let late = result.cause == .timeLimit ? "\nthe tests' time is over\n" : ""
    return .failed(ContextFile.shortened(result.output.text + late))
  }

  /// The first of `commits` with which the tests fail, found by halving; each has the one before as
  /// its parent.
  ///
  /// - Parameters:
  ///   - isGood: whether the tests are known to pass with the first.
  ///   - base: the first one's parent.
  /// - Returns: its place, and what the tests said; nil when they fail without any of them, or when
  ///   it was stopped.
  func firstFailing(
    _ commits: [String], isGood: Bool, base: String, output: String
  ) throws(BusError) -> (place: Int, output: String)? {
    guard !commits.isEmpty else { return nil }
    // The place of one with which they pass; -1 for the base.
    var good = isGood ? 0 : -1
    if !isGood {
      switch try judge(base) {
      // Where there are no tests none have failed.
      case .passed, .skipped: break
      case .failed, .stopped: return nil
      }
    }
    var bad = (place: commits.count - 1, output: output)
    while bad.place - good > 1 {
      let middle = (good + bad.place) / 2
      switch try judge(commits[middle]) {
      case .failed(let output): bad = (middle, output)
      case .passed, .skipped: good = middle
      case .stopped: return nil
      }
    }
    return bad.place > good ? bad : nil
  }

  /// - Returns: what to say when something of the worktree stays, or nil.
  func remove() -> BusError? { site.removeGateWorktree() }

  /// What is ignored stays from one commit to the next, since building anew takes long.
  private func checkOut(_ commit: String) throws(BusError) {
    if let there = try? site.git.elsewhere(worktree),
      (try? there.run(["checkout", "--quiet", "--detach", "--force", commit]))?.succeeded == true,
      (try? there.run(["clean", "--quiet", "-d", "--force"]))?.succeeded == true
    {
      return
    }
    if let left = remove() { throw left }
    try site.git.must(["worktree", "add", "--quiet", "--detach", worktree, commit])
  }

  private func prepare() throws(BusError) -> Verdict? {
    for step in SetupStep.steps(options.setup, worktree: worktree, top: site.top) {
      let result: ChildResult
      do throws(BusError) {
        result = try run(step.command, options.timeLimits.setup)
      } catch  where !step.isRequired { continue }
      if result.cause == .stopSignal { return .stopped }
      guard result.succeeded || !step.isRequired else {
        return .failed("the set-up (\(step.name)) failed: \(result.words)\n\(result.output.text)")
      }
    }
    return nil
  }

  private func command() throws(BusError) -> [String]? {
    switch options.gate {
    case .nothing: nil
    case .command(let line): ["/bin/sh", "-c", line]
    case .detected: try TestCommand.detect(in: worktree)?.command
    }
  }

  private func run(_ command: [String], _ limit: Duration) throws(BusError) -> ChildResult {
    var environment = site.environment
    environment[ProcessFamily.worktreeName] = worktree
    let program = try Executable.find(command[0], environment: environment, directory: worktree)
    var request = ChildRequest(
      program, Array(command.dropFirst()), environment: environment, directory: worktree)
    request.mergesErrors = true
    request.timeLimit = limit
    request.grace = options.timeLimits.grace
    return try ChildRun.run(request, stop: stop)
  }
}
