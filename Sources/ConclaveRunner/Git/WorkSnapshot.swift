import ConclaveBus
import Glibc

/// The worktree as a git tree, made with an index of its own: neither the user's index nor the
/// checkout is touched. Two equal trees are two equal worktrees.
enum WorkSnapshot {
  /// What never belongs to the work: the loop's own files, the bus, the worktrees of other tasks.
  static let ownFiles = [
    ".ralph_state.json", ".ralph.lock", ".ralph_context.md", ".conclave/bus",
    ".conclave/parallel", ".worktrees",
  ]

  /// The same as pathspecs, for commands that only look.
  static let exclusions = ownFiles.map { ":(top,exclude)\($0)" }

  /// The tree's name. O(changed files).
  ///
  /// - Parameters:
  ///   - folder: where the snapshot's index is.
  ///   - base: the commit in which the loop's own files are as they have to stay.
  ///   - start: a commit to begin with, for files that have no index of their own.
  /// - Throws: `unsupported` when git does not take what is there.
  static func tree(
    _ git: GitCommand, folder: String, base: String = "HEAD", start: String? = nil
  ) throws(BusError) -> String {
    let index = indexFile(folder)
    unsafe unlink(index)
    do throws(BusError) {
      // As a commit would: with what is added although it is ignored, and without what is not
      // tracked any more.
      if let start {
        try git.must(["read-tree", start], index: index)
      } else {
        try git.copyIndex(to: index)
      }
      try addAll(git, index: index, base: base)
    } catch {
      unsafe unlink(index)
      throw error
    }
    return try git.must(["write-tree"], index: index)
  }

  static func indexFile(_ folder: String) -> String { "\(folder)/snapshot-index" }

  /// Removes the lock of an index whose git was killed. Call only when no snapshot is being made.
  static func removeStaleLock(folder: String) { unsafe unlink(lockFile(folder: folder)) }

  static func lockFile(folder: String) -> String { "\(folder)/snapshot-index.lock" }

  /// Everything but the loop's own files, which ``ignoreOwnFiles(_:)`` keeps away until somebody
  /// insists, and which stay as they are in `base`. `git add` cannot be told to leave out what is
  /// ignored already: it fails. Of a sparse checkout also what somebody has made outside of its
  /// cone; what is not checked out stays as it is.
  ///
  /// - Throws: `unsupported` when git does not take what is there.
  static func addAll(
    _ git: GitCommand, index: String? = nil, base: String = "HEAD"
  ) throws(BusError) {
    try addFiles(git, index: index)
    try git.must(["reset", "--quiet", base, "--"] + ownFiles, index: index)
  }

  private static func addFiles(_ git: GitCommand, index: String?) throws(BusError) {
    var all = ["-c", "advice.addEmbeddedRepo=false", "add", "--all"]
    // It passes over tracked files outside of the cone without a word. Old versions of git do not
    // know the option.
    if try git.ask(["config", "--type=bool", "--get", "core.sparseCheckout"]) == "true" {
      all.append("--sparse")
    }
    all += ["--", "."]
    var result = try git.run(all, index: index)
    if result.succeeded { return }
    // A repository without commits is nothing that git could add.
    let nested = try NestedRepository.untracked(git, index: index)
    if !nested.isEmpty {
      result = try git.run(all + nested.map { ":(top,exclude,literal)\($0)" }, index: index)
    }
    if result.succeeded { return }
    let words = result.errors.text
    guard words.contains("adding files failed") || words.contains("updating files failed"),
      !words.contains("No space left")
    else { throw git.failure(["add"], result) }
    throw BusError(
      .unsupported, "git does not take what is in the worktree: \(words.trimmed)",
      hint: "rename or remove it")
  }

  /// The difference as a patch, at most `limit` bytes of it, with a line that says what is missing.
  static func patch(
    _ git: GitCommand, from old: String, to new: String, limit: Int
  ) throws(BusError) -> String {
    let text = try git.must(["diff-tree", "-p", "-M", "--no-color", "--no-ext-diff", old, new])
    return PromptText.beginning(text, limit: limit, of: "the difference")
  }

  /// How many files differ, and by how many lines: git's own short words.
  static func summary(
    _ git: GitCommand, from old: String, to new: String
  ) throws(BusError) -> String {
    String(try git.must(["diff", "--shortstat", old, new]).trimmed)
  }

  /// Keeps the loop's own files out of every commit, also out of the agent's `git add --all`: by
  /// the repository's local list of ignored files, which is not part of any commit.
  ///
  /// - Parameter others: more paths below the top.
  static func ignoreOwnFiles(
    _ git: GitCommand, besides others: [String] = []
  ) throws(BusError) {
    let named = try git.must(["rev-parse", "--git-path", "info/exclude"])
    let path = named.hasPrefix("/") ? named : "\(git.directory)/\(named)"
    let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    DurableFile.removeHalfWritten(in: folder, of: ["exclude"])
    let text = String(decoding: try DurableFile.read(path) ?? [], as: UTF8.self)
    var lines = Set(text.split(whereSeparator: \.isNewline).map(String.init))
    // With what a loop that was killed while it wrote has left.
    let missing = (ownFiles + [".ralph_*.tmp"] + others).map { "/\($0)" }.filter {
      lines.insert($0).inserted
    }
    if missing.isEmpty { return }
    try DurableFile.makeFolder(folder)
    let start = text.isEmpty || text.hasSuffix("\n") ? text : text + "\n"
    try DurableFile.rewrite(Array((start + missing.joined(separator: "\n") + "\n").utf8), at: path)
  }
}
