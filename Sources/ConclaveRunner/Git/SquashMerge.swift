import ConclaveBus

/// Merges a task's branch as one commit, in the object database alone: no checkout, index or branch
/// is touched, so that nothing is ever half-merged.
enum SquashMerge {
  enum Outcome: Hashable, Sendable {
    /// The new commit, which no branch has yet.
    case merged(String)
    /// `head` has everything that the branch has.
    case contained
    /// These files, sorted, need a person or another attempt.
    case conflict([String])
  }

  /// - Parameters:
  ///   - tip: the commit to merge.
  ///   - head: the new commit's only parent.
  /// - Throws: whatever git said, for instance when the two have no common history.
  static func commit(
    _ git: GitCommand, _ tip: String, onto head: String, message: String
  ) throws(BusError) -> Outcome {
    let arguments = ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", head, tip]
    let result = try git.run(arguments)
    let output = result.output.text
    let tree = String(output.prefix { $0.isHexDigit })
    guard !tree.isEmpty, [.code(0), .code(1)].contains(result.exit) else {
      throw git.failure(arguments, result)
    }
    if result.exit == .code(1) {
      // Behind the tree is a line feed or a zero, depending on git; between names only the latter.
      let names = output.dropFirst(tree.count + 1).split(separator: "\0").map(String.init)
      return .conflict(Set(names).sorted())
    }
    if tree == (try git.must(["rev-parse", "\(head)^{tree}"])) { return .contained }
    return .merged(
      try git.must(["commit-tree", tree, "-p", head, "-F", "-"], input: message))
  }

  /// What a branch has changed since `base`: paths, sorted.
  static func changedFiles(
    _ git: GitCommand, from base: String, to tip: String
  ) throws(BusError) -> [String] {
    try git.must(["diff-tree", "-r", "-z", "--name-only", "--no-renames", base, tip])
      .split(separator: "\0").map(String.init).sorted()
  }
}
