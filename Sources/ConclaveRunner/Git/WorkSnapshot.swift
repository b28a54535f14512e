import ConclaveBus
import Glibc

/// The worktree as a git tree, made with an index of its own: neither the user's index nor the
/// checkout is touched. Two equal trees are two equal worktrees.
enum WorkSnapshot {
  /// What never belongs to the work: the loop's own files, the bus, the worktrees of other tasks.
  static let ownFiles = [
    ".ralph_state.json", ".ralph.lock", ".ralph_context.md", ".conclave/bus", ".worktrees",
  ]

  /// The same as pathspecs, for commands that only look.
  static let exclusions = ownFiles.map { ":(top,exclude)\($0)" }

  /// The tree's name. O(changed files) after the first time.
  ///
  /// - Parameter folder: where the index is kept, so that unchanged files need not be read again.
  static func tree(_ git: GitCommand, folder: String) throws(BusError) -> String {
    let index = "\(folder)/snapshot-index"
    do throws(BusError) {
      // From HEAD each time, since it may hold files that are ignored. A reset, other than reading
      // the tree again, keeps what the index knows of unchanged files.
      let isNew = unsafe access(index, F_OK) != 0
      try git.must(
        isNew ? ["read-tree", "HEAD"] : ["reset", "--quiet", "HEAD", "--", ":/"], index: index)
      try addAll(git, index: index)
    } catch {
      unsafe unlink(index)
      throw error
    }
    return try git.must(["write-tree"], index: index)
  }

  /// Everything but the loop's own files, which ``ignoreOwnFiles(_:)`` keeps away as long as nobody
  /// has committed them; then they stay as they were committed. `git add` cannot be told to
  /// leave out what is ignored already: it fails.
  static func addAll(_ git: GitCommand, index: String? = nil) throws(BusError) {
    try git.must(["add", "--all", "--", "."], index: index)
    try git.must(["reset", "--quiet", "HEAD", "--"] + ownFiles, index: index)
  }

  /// The difference as a patch, at most `limit` bytes of it, with a line that says what is missing.
  static func patch(
    _ git: GitCommand, from old: String, to new: String, limit: Int
  ) throws(BusError) -> String {
    let text = try git.must(["diff-tree", "-p", "-M", "--no-color", "--no-ext-diff", old, new])
    guard text.utf8.count > limit else { return text }
    let start = String(decoding: text.utf8.prefix(limit), as: UTF8.self)
    return start + "\n[... \(text.utf8.count - limit) bytes of the difference omitted ...]\n"
  }

  /// How many files differ, and by how many lines: git's own short words.
  static func summary(
    _ git: GitCommand, from old: String, to new: String
  ) throws(BusError) -> String {
    String(try git.must(["diff", "--shortstat", old, new]).trimmed)
  }

  /// Keeps the loop's own files out of every commit, also out of the agent's `git add --all`: by
  /// the repository's local list of ignored files, which is not part of any commit.
  static func ignoreOwnFiles(_ git: GitCommand) throws(BusError) {
    let named = try git.must(["rev-parse", "--git-path", "info/exclude"])
    let path = named.hasPrefix("/") ? named : "\(git.directory)/\(named)"
    let text = String(decoding: try DurableFile.read(path) ?? [], as: UTF8.self)
    let lines = Set(text.split(whereSeparator: \.isNewline).map(String.init))
    // With what a loop that was killed while it wrote has left.
    let missing = (ownFiles + [".ralph_*.tmp"]).map { "/\($0)" }.filter { !lines.contains($0) }
    if missing.isEmpty { return }
    if let slash = path.lastIndex(of: "/") { try DurableFile.makeFolder(String(path[..<slash])) }
    let start = text.isEmpty || text.hasSuffix("\n") ? text : text + "\n"
    try DurableFile.write(Array((start + missing.joined(separator: "\n") + "\n").utf8), to: path)
  }
}
