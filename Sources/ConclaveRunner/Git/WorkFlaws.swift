import ConclaveBus

/// What stands against a commit of a worktree, although git might make one.
enum WorkFlaws {
  /// - Parameters:
  ///   - folder: where the snapshot's index is.
  ///   - base: where the work began.
  /// - Returns: the worktree as a tree, empty when git does not take it, and a line or more for
  ///   each flaw, for who is to do something about it.
  static func of(
    _ git: GitCommand, folder: String, base: String
  ) throws(BusError) -> (tree: String, flaws: [String]) {
    let own = try unfinished(git)
    do throws(BusError) {
      let tree = try WorkSnapshot.tree(git, folder: folder, base: base)
      let nested = try NestedRepository.flawed(
        git, index: WorkSnapshot.indexFile(folder), tree: tree, base: base)
      return (tree, own + nested.map(\.advice))
    } catch {
      guard error.code == .unsupported else { throw error }
      return ("", own + [error.message])
    }
  }

  /// Merges and the like, which leave both versions in a file.
  private static func unfinished(_ git: GitCommand) throws(BusError) -> [String] {
    let paths = Set(
      try git.must(["diff", "--name-only", "--diff-filter=U", "-z", "--no-ext-diff"])
        .split(separator: "\0").map { shown(String($0)) })
    if !paths.isEmpty {
      return [
        "there are conflicts that are not resolved, in \(paths.sorted().joined(separator: ", ")). "
          + "Resolve them and git add the files, or take back what has led to them."
      ]
    }
    let folder = try git.must(["rev-parse", "--absolute-git-dir"])
    guard let operation = RepositoryState.operation(in: folder) else { return [] }
    return ["\(operation) is under way. Finish or abort it."]
  }
}
