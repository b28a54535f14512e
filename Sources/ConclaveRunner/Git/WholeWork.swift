import ConclaveBus
import Glibc

/// Everything in a worktree: its files, also what ``HiddenWork`` finds, those of the repositories
/// in it as well, and the commits that have no other name than a HEAD, or a branch of such a
/// repository.
struct WholeWork {
  let git: GitCommand
  /// For indexes.
  let folder: String
  /// Where the work began.
  let base: String
  /// A commit to begin with, for files that have no index and no HEAD of their own.
  let start: String?

  private(set) var tree = ""
  /// HEAD, or `start`; nil when HEAD has no commit yet.
  private(set) var head: String?
  /// Commits of repositories in the worktree.
  private(set) var nested: [String] = []
  /// Paths that are not in the tree, since the work itself has made git ignore them.
  private(set) var hidden: [String] = []

  /// - Throws: `unsupported` when git does not take what is there.
  init(
    _ git: GitCommand, folder: String, base: String, start: String? = nil
  ) throws(BusError) {
    self.git = git
    self.folder = folder
    self.base = base
    self.start = start
    head = start
    if start == nil {
      head = try git.ask(["rev-parse", "--quiet", "--verify", "HEAD^{commit}"])
    }
    tree = try snapshot()
    let index = WorkSnapshot.indexFile(folder)
    let repositories = try NestedRepository.flawed(git, index: index, tree: tree, base: base)
      .map(\.path)
    let hiding = HiddenWork(git: git, index: index, base: base)
    let found = try hiding.add()
    for path in repositories + (found ?? []) { try takeIn(path) }
    if found != nil || !repositories.isEmpty {
      tree = try git.must(["write-tree"], index: index)
    }
    // Names only: the work is kept without them.
    hidden = (try? hiding.names(in: tree)) ?? []
  }

  private func snapshot() throws(BusError) -> String {
    do throws(BusError) {
      return try WorkSnapshot.tree(git, folder: folder, base: base, start: start)
    } catch {
      // An index that nobody can read must not be the end of the files.
      guard start == nil, error.code == .system else { throw error }
      return try WorkSnapshot.tree(git, folder: folder, base: base, start: head ?? base)
    }
  }

  /// Puts the files of a repository into the index instead of the name of its commit.
  private mutating func takeIn(_ path: String) throws(BusError) {
    let place = "\(git.directory)/\(path)"
    guard isThere(place) else { return }
    let gitDirectory = try git.must(["rev-parse", "--absolute-git-dir"])
    let inner = "\(folder)/nested"
    try DurableFile.makeFolder(inner)
    defer { unsafe rmdir(inner) }
    let empty = try git.must(["hash-object", "-w", "-t", "tree", "--stdin"])
    let work = try WholeWork(
      git.adopting(place, gitDirectory: gitDirectory), folder: inner, base: empty, start: empty)
    defer { unsafe unlink(WorkSnapshot.indexFile(inner)) }
    let index = WorkSnapshot.indexFile(folder)
    try git.must(["update-index", "--force-remove", "--", path], index: index)
    if work.tree != empty {
      try git.must(["read-tree", "--prefix=\(path)/", work.tree], index: index)
    }
    nested += work.nested
    takeHistory(place)
  }

  /// The commits that the branches of a repository at `place` are at. What cannot be fetched is
  /// there as files all the same.
  mutating func takeHistory(_ place: String) {
    do throws(BusError) {
      guard isThere("\(place)/.git") else { return }
      let there = try git.elsewhere(place)
      let names = ["for-each-ref", "--format=%(objectname) %(refname)", "refs/heads"]
      var wanted: [String: String] = [:]
      for line in try there.must(names).split(separator: "\n") {
        let words = line.split(separator: " ", maxSplits: 1).map(String.init)
        if words.count == 2 { wanted[words[0]] = words[1] }
      }
      if let head = try there.ask(["rev-parse", "--quiet", "--verify", "HEAD^{commit}"]) {
        wanted[head] = "HEAD"
      }
      if wanted.isEmpty { return }
      let fetch = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"]
      try git.must(fetch + ["--no-recurse-submodules", place] + wanted.values.sorted())
      nested += wanted.keys.sorted()
    } catch { return }
  }
}
