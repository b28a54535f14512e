import ConclaveBus

/// What an agent has left, before anybody judges whether it is what was asked for.
extension RalphLoop {
  /// HEAD, the worktree, and what is wrong with it: whatever an agent achieves shows in one of
  /// them.
  func position() throws(BusError) -> [String] {
    let (tree, flaws) = try WorkFlaws.of(git, folder: place.folder, base: state.base)
    // On a branch without commits there is none.
    let head = try git.ask(["rev-parse", "--quiet", "--verify", "HEAD"]) ?? ""
    return [head, tree] + flaws
  }

  func beginning() throws(BusError) -> [String] {
    [state.base, try git.must(["rev-parse", "\(state.base)^{tree}"])]
  }

  /// - Throws: `notFound` when the worktree is not there any more: git, the tests and the agent
  ///   would work on what is around it.
  func requireWorktree() throws(BusError) {
    var words = ""
    if !isThere(place.top) {
      words = "the agent has removed its worktree"
    } else if !isThere("\(place.top)/.git") {
      words = "the agent has removed .git from its worktree"
    } else if try !isOurs() {
      words = "the agent has put another repository into its worktree"
    }
    if words.isEmpty { return }
    throw BusError(
      .notFound, "\(words) \(shown(place.top))",
      hint: "repair it with git worktree repair, or begin anew in another one")
  }

  private func isOurs() throws(BusError) -> Bool {
    let arguments = ["rev-parse", "--absolute-git-dir"]
    let result = try git.run(arguments)
    // That it was ended says nothing about the repository.
    guard result.cause == .itself else { throw git.failure(arguments, result) }
    return result.succeeded
      && isSameFile("\(result.output.text.trimmed)/conclave-ralph", place.folder)
  }

  /// The failure of a gate when a commit of what is there would not be what the agent means; or
  /// nil.
  func unfit(_ gate: LoopGate, _ position: [String]) -> GateResult? {
    let flaws = position.dropFirst(2)
    if flaws.isEmpty { return nil }
    return GateResult(
      gate: gate, verdict: .failed, reason: "the work cannot be committed as it is",
      output: flaws.map { "error: \($0)\n" }.joined(), exitCode: 1)
  }
}
