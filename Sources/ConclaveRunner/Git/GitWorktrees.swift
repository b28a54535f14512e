import ConclaveBus
import Glibc

/// The worktrees that a repository knows.
enum GitWorktrees {
  struct Entry: Hashable, Sendable {
    var path = ""
    /// Without `refs/heads/`; nil when HEAD is detached.
    var branch: String?
    var isLocked = false
    /// Whether git was killed while it made it.
    var isHalfMade = false
    /// Whether there is nothing at the path.
    var isGone = false
  }

  /// What to do about a branch that is in the way, for people.
  static func hint(branch: String, _ git: GitCommand) throws(BusError) -> String {
    let usual = "rename it or remove it: git branch -m, git branch -D"
    guard let path = try list(git).first(where: { $0.branch == branch })?.path else { return usual }
    return "it is checked out in \(shown(path)): take out of there what you need, then "
      + "git worktree remove --force it, and \(usual)"
  }

  static func has(_ path: String, _ git: GitCommand) throws(BusError) -> Bool {
    try list(git).contains { isSameFile($0.path, path) }
  }

  /// Whether there is a worktree of this repository of which git knows nothing any more: when it
  /// fails to make one, it removes what it has noted of it before the files.
  static func isForgotten(_ path: String, _ git: GitCommand) throws(BusError) -> Bool {
    let prefix = "gitdir: "
    guard let bytes = try? DurableFile.read("\(path)/.git", limit: 10_000),
      case let line = String(decoding: bytes, as: UTF8.self).trimmed, line.hasPrefix(prefix)
    else { return false }
    let notes = String(line.dropFirst(prefix.count))
    let isOurs = notes.hasPrefix("\(try git.commonDirectory())/worktrees/")
    return isOurs && !isThere("\(notes)/gitdir")
  }

  /// Removes a linked worktree, with everything in it that is not committed, whatever has become
  /// of it: git refuses to remove one that has another repository's `.git`, and forgets one even
  /// when it could not remove its files.
  ///
  /// - Returns: what to say when files stay there that git does not know any more, or nil.
  /// - Throws: `busy` when it stays a worktree; whatever git said.
  static func remove(_ path: String, _ git: GitCommand) throws(BusError) -> BusError? {
    // The first one is the main worktree.
    let known = try list(git).dropFirst().first { isSameFile($0.path, path) }
    if known != nil, !isThere("\(path)/.git") {
      // What was only half made cannot be removed before it is a worktree.
      _ = try git.run(["worktree", "repair", path])
    }
    if known != nil || isThere(path) {
      // Twice --force: git locks a worktree while it makes it.
      _ = try git.run(["worktree", "remove", "--force", "--force", path])
    }
    // An empty directory is what is left of one that was hardly begun.
    unsafe rmdir(path)
    if known?.isLocked == true { _ = try git.run(["worktree", "unlock", path]) }
    // What was no worktree may be anybody's.
    let isForgotten = try isForgotten(path, git)
    let left = known != nil || isForgotten ? FolderRemoval.remove(path) : nil
    try prune(git)
    guard try !has(path, git) else {
      throw BusError(
        .busy, "the worktree \(shown(path)) cannot be removed",
        hint: "look who works in it, move it away, and then git worktree prune")
    }
    return left.map { left in
      BusError(
        .busy, "\(shown(left)) cannot be removed, so that \(shown(path)) stays",
        hint: "remove it by hand; nothing of it is needed any more")
    }
  }

  /// Has git forget worktrees that are gone, and what is left of its notes on one when it was
  /// killed while it removed it.
  static func prune(_ git: GitCommand) throws(BusError) { try git.must(["worktree", "prune"]) }

  static func list(_ git: GitCommand) throws(BusError) -> [Entry] {
    var found: [Entry] = []
    for line in try git.must(["worktree", "list", "--porcelain", "-z"]).split(separator: "\0") {
      let words = line.split(separator: " ", maxSplits: 1)
      let value = words.count > 1 ? String(words[1]) : ""
      switch words[0] {
      case "worktree": found.append(Entry(path: value))
      case _ where found.isEmpty: break
      case "branch": found[found.count - 1].branch = GitCommand.branch(value)
      case "locked":
        found[found.count - 1].isLocked = true
        found[found.count - 1].isHalfMade = value == "initializing"
      case "prunable": found[found.count - 1].isGone = true
      default: break
      }
    }
    if let main = found.first?.path, !isThere("\(main)/.git"), let top = try git.mainWorktree() {
      found[0].path = top
    }
    return found
  }
}

extension GitCommand {
  /// The top of the main worktree, as far as it can be seen from in there: where the repository is
  /// not the directory `.git` in it, nothing else says where it is, and git names the repository.
  fileprivate func mainWorktree() throws(BusError) -> String? {
    let words = ["rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir"]
    let lines = try must(words).split(separator: "\n")
    guard lines.count == 2, lines[0] == lines[1],
      try ask(["rev-parse", "--is-inside-work-tree"]) == "true"
    else { return nil }
    return try must(["rev-parse", "--show-toplevel"])
  }

  /// The directory of the repository that all of its worktrees share; absolute.
  func commonDirectory() throws(BusError) -> String {
    try must(["rev-parse", "--path-format=absolute", "--git-common-dir"])
  }

  /// Git at the top of a worktree, whatever is checked out there; nil when that is no worktree of
  /// this repository.
  func worktree(at path: String) -> GitCommand? {
    guard isThere(path), let there = try? elsewhere(path),
      let top = try? there.ask(["rev-parse", "--show-toplevel"]), isSameFile(top, path),
      let its = try? there.commonDirectory(), let mine = try? commonDirectory(),
      isSameFile(its, mine)
    else { return nil }
    return there
  }
}

/// Whether two paths name the same. Git shows paths without symbolic links.
func isSameFile(_ one: String, _ other: String) -> Bool {
  var first = stat()
  var second = stat()
  if one == other { return true }
  return unsafe stat(one, &first) == 0 && stat(other, &second) == 0
    && first.st_dev == second.st_dev && first.st_ino == second.st_ino
}

/// Whether there is something at the path.
func isThere(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }
