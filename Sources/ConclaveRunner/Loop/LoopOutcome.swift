/// How a loop ended.
public struct LoopOutcome: Sendable {
  public enum End: Hashable, Sendable {
    case passed
    /// The iterations are used up, or nothing has helped.
    case failed
    /// The time for the whole loop is over.
    case timedOut
    case tooExpensive
    /// A person is needed.
    case blocked
    case interrupted(StopSignal.Reason)
    /// `ralph stop`.
    case stopped
    /// The agent has left the branch. The loop can go on once somebody has gone back to it.
    case astray
  }

  public let end: End
  /// As it was written last.
  public let state: LoopState

  /// One line for people.
  public var sentence: String {
    let count = state.iteration == 1 ? "1 iteration" : "\(state.iteration) iterations"
    let kept = state.failedBranch.isEmpty ? "" : "; the work is kept on \(state.failedBranch)"
    switch end {
    case .passed:
      let commit = state.commit.isEmpty ? "" : ", commit \(state.commit.prefix(12))"
      return "passed after \(count)\(commit)"
    case .failed, .timedOut, .tooExpensive: return "failed: \(state.reason)\(kept)"
    case .blocked: return "blocked, a person is needed: \(state.reason)"
    case .interrupted, .stopped:
      return "\(state.reason) in iteration \(state.iteration); go on with --resume"
    case .astray:
      return
        "\(state.reason) in iteration \(state.iteration); git switch \(state.branch), and go on "
        + "with --resume"
    }
  }
}
