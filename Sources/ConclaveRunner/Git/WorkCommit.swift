import ConclaveBus

/// Commits what passed all gates, as a person would: the repository's hooks run and may refuse.
enum WorkCommit {
  enum Outcome {
    /// The commit, or HEAD when the agent had committed everything itself.
    case made(String)
    /// What a hook, or git, has said.
    case refused(String)
    case stopped
  }

  /// - Parameter withHooks: false for `--no-verify`.
  static func make(
    _ git: GitCommand, message: String, withHooks: Bool
  ) throws(BusError) -> Outcome {
    try WorkSnapshot.addAll(git)
    if try git.run(["diff", "--cached", "--quiet"]).succeeded {
      return .made(try git.must(["rev-parse", "HEAD"]))
    }
    let result = try git.run(
      ["commit", "--quiet", "-F", "-"], withHooks: withHooks, input: message)
    if result.cause == .stopSignal { return .stopped }
    guard result.succeeded else {
      return .refused(result.output.text + result.errors.text)
    }
    return .made(try git.must(["rev-parse", "HEAD"]))
  }
}
