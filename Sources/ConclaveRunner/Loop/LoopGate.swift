/// The steps of an iteration, in their order. The raw values are those of the state file.
public enum LoopGate: String, Hashable, Sendable, CaseIterable {
  /// The agent works on the task.
  case implement
  /// The project's tests.
  case tests
  /// Another call of the agent, which knows nothing of the first, compares the work with the task.
  case spec
  /// Linters; its failure is a warning.
  case quality
  /// The commit, with the repository's hooks.
  case commit
}

/// How a gate ended.
struct GateResult: Sendable {
  enum Verdict: Hashable, Sendable {
    case passed
    case failed
    /// There was nothing to do, for instance no tests.
    case skipped
    /// The loop was asked to end meanwhile.
    case stopped
    /// The worktree is not on the loop's branch any more.
    case astray
  }

  let gate: LoopGate
  let verdict: Verdict
  /// One line: why.
  let reason: String
  /// What was printed, whole or as much as was kept.
  var output = ""
  var exitCode = 0
}
