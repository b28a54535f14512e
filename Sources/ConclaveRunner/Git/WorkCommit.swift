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

  /// What is refused leaves the index as it was.
  ///
  /// - Parameters:
  ///   - base: where the work began.
  ///   - withHooks: false for `--no-verify`.
  /// - Throws: `permissionDenied` when git cannot sign; whatever else git said that is no hook's.
  static func make(
    _ git: GitCommand, base: String, message: String, withHooks: Bool
  ) throws(BusError) -> Outcome {
    let path = try git.must(["rev-parse", "--path-format=absolute", "--git-path", "index"])
    let index = try DurableFile.read(path, limit: 1 << 30)
    let outcome = try commit(git, base, message, withHooks)
    if case .made = outcome { return outcome }
    if let index { try DurableFile.write(index, to: path) }
    if case .refused(let words) = outcome { try requireSigning(git, words) }
    return outcome
  }

  /// No work of an agent mends a signature.
  private static func requireSigning(_ git: GitCommand, _ words: String) throws(BusError) {
    guard words.contains("failed to write commit object"),
      try git.ask(["config", "--type=bool", "--get", "commit.gpgSign"]) == "true"
    else { return }
    throw BusError(
      .permissionDenied, "git cannot sign the commit: \(shown(ErrorFingerprint.headline(words)))",
      hint: "mend that, or git config commit.gpgSign false, and go on with --resume")
  }

  private static func commit(
    _ git: GitCommand, _ base: String, _ message: String, _ withHooks: Bool
  ) throws(BusError) -> Outcome {
    try WorkSnapshot.addAll(git, base: base)
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
