import ConclaveBus

/// A git repository inside of a worktree. A commit has no more of it than the name of a commit.
struct NestedRepository: Hashable, Sendable {
  enum Flaw: Hashable, Sendable {
    /// It is no submodule: a clone would have nothing of it.
    case foreign
    /// A submodule at a commit that no remote of it is known to have.
    case unpublished
    /// A submodule with changes that are not committed in it.
    case changed
  }

  /// As seen from the top of the worktree.
  let path: String
  let flaw: Flaw

  /// What an agent, or a person, should do.
  var advice: String {
    switch flaw {
    case .foreign:
      "\(shown(path)) is a git repository of its own: a commit would have nothing of what is in "
        + "it. Remove \(shown(path + "/.git")), and git rm -r -f --cached it if it was added; or "
        + "remove the whole of it; or let git ignore it."
    case .unpublished:
      "the submodule \(shown(path)) is at a commit that is nowhere else and would be lost. Make "
        + "the change without it, or go back to a commit that its remote has."
    case .changed:
      "the submodule \(shown(path)) has changes that no commit here can have. Take them back."
    }
  }

  /// Those of which a commit of the worktree would lose something.
  ///
  /// - Parameters:
  ///   - index: everything is added to it that can be.
  ///   - tree: the same as a tree.
  ///   - base: a commit or tree to compare with.
  static func flawed(
    _ git: GitCommand, index: String, tree: String, base: String
  ) throws(BusError) -> [NestedRepository] {
    var found = try untracked(git, index: index).map { NestedRepository(path: $0, flaw: .foreign) }
    let changed = try links(
      git, ["diff-tree", "-r", "--raw", "-z", "--no-renames", base, tree], index)
    let submodules = try changed.isEmpty ? [] : submodules(git)
    for (path, isNew) in changed {
      if isNew, !submodules.contains(path) {
        found.append(NestedRepository(path: path, flaw: .foreign))
      } else if try isUnpublished(path, git) {
        found.append(NestedRepository(path: path, flaw: .unpublished))
      }
    }
    let dirty = try links(
      git, ["diff-files", "--raw", "-z", "--no-renames", "--ignore-submodules=none"], index)
    for (path, _) in dirty where !found.contains(where: { $0.path == path }) {
      found.append(NestedRepository(path: path, flaw: .changed))
    }
    return found.sorted { $0.path < $1.path }
  }

  /// Those that git does not know yet, nor ignores.
  static func untracked(_ git: GitCommand, index: String?) throws(BusError) -> [String] {
    // Of other directories git names the files.
    try git.must(["ls-files", "--others", "--exclude-standard", "-z"], index: index)
      .split(separator: "\0").filter { $0.hasSuffix("/") }.map { String($0.dropLast()) }
  }

  /// What a raw difference says of links to commits.
  private static func links(
    _ git: GitCommand, _ arguments: [String], _ index: String
  ) throws(BusError) -> [(path: String, isNew: Bool)] {
    let fields = try git.must(arguments, index: index).split(separator: "\0")
    var found: [(path: String, isNew: Bool)] = []
    for place in stride(from: 0, to: fields.count - 1, by: 2) {
      let words = fields[place].dropFirst().split(separator: " ")
      guard words.count > 1, words[1] == "160000" else { continue }
      found.append((String(fields[place + 1]), words[0] != "160000"))
    }
    return found
  }

  /// The paths that `.gitmodules` names.
  private static func submodules(_ git: GitCommand) throws(BusError) -> Set<String> {
    let pattern = "^submodule\\..*\\.path$"
    let entries = try git.run(["config", "-z", "-f", ".gitmodules", "--get-regexp", pattern])
      .output.text.split(separator: "\0")
    return Set(entries.compactMap { $0.split(separator: "\n").dropFirst().first.map(String.init) })
  }

  private static func isUnpublished(_ path: String, _ git: GitCommand) throws(BusError) -> Bool {
    let folder = "\(git.directory)/\(path)"
    // Where nothing is checked out nothing can be lost.
    guard isThere("\(folder)/.git") else { return false }
    let there = try git.elsewhere(folder)
    let result = try there.run(["for-each-ref", "--count=1", "--contains=HEAD", "refs/remotes"])
    return !result.succeeded || result.output.text.isEmpty
  }
}
