import ConclaveBus
import Glibc

/// Makes and removes the worktree and the branch of a task.
///
/// Every step may be interrupted by a kill and done again.
struct TaskWorktree {
  /// In the main or any other worktree that stays.
  let git: GitCommand
  let place: TaskPlace

  /// Whether the branch is there.
  func tip() throws(BusError) -> String? {
    try git.ask(["rev-parse", "--quiet", "--verify", "refs/heads/\(place.branch)^{commit}"])
  }

  /// Whether git can work in it, on its branch, and has made all of it.
  var isUsable: Bool {
    guard let there = inside, (try? isHalfMade) == false,
      let branch = try? there.branch()
    else { return false }
    return branch == place.branch
  }

  /// Git in it, whatever is checked out there; nil when it is no worktree of this repository.
  private var inside: GitCommand? { git.worktree(at: place.worktree) }

  /// What git knows of it.
  private var known: GitWorktrees.Entry? {
    get throws(BusError) {
      try GitWorktrees.list(git).first { isSameFile($0.path, place.worktree) }
    }
  }

  /// Whether git was killed before anybody could work in it.
  private var isHalfMade: Bool { get throws(BusError) { try known?.isHalfMade ?? false } }

  /// Makes the branch at the place's base, and a worktree for it.
  ///
  /// - Throws: `busy` when there is a branch or a file of that name already.
  func make() throws(BusError) {
    if try tip() != nil {
      throw BusError(
        .busy, "there is a branch \(place.branch) already",
        hint: "go on with --resume if it is of an earlier run; or else "
          + (try GitWorktrees.hint(branch: place.branch, git)))
    }
    try refuseFiles()
    try git.must([
      "worktree", "add", "--quiet", "--no-track", "-b", place.branch, place.worktree, place.base,
    ])
  }

  /// Makes what is missing of the two, for work that goes on. What is at its place and is not on
  /// the branch is removed, and kept before.
  ///
  /// - Returns: the branch that has it, or nil.
  func makeAgain() throws(BusError) -> String? {
    if isUsable {
      try unlock()
      return nil
    }
    let kept = try keep("found outside of \(place.branch)", safe: try tip().map { [$0] } ?? [])
    try removeWorktree()
    guard try tip() != nil else {
      try make()
      return kept
    }
    try refuseFiles()
    try git.must(["worktree", "add", "--quiet", place.worktree, place.branch])
    return kept
  }

  /// Lets git know again where the worktree is, if it has been moved.
  func find() throws(BusError) {
    guard isThere("\(place.worktree)/.git"), try known == nil else { return }
    _ = try git.run(["worktree", "repair", place.worktree])
  }

  /// Whether there is a worktree or a branch to remove.
  func hasRemains() throws(BusError) -> Bool {
    if try tip() != nil { return true }
    if try GitWorktrees.has(place.worktree, git) { return true }
    return try GitWorktrees.isForgotten(place.worktree, git)
  }

  /// Whether anything was done since the branch began: commits, on whatever branch, changes or new
  /// files, also those that a new `.gitignore` hides.
  func hasWork() throws(BusError) -> Bool {
    if let tip = try tip(), tip != place.base { return true }
    guard let known = try known, !known.isHalfMade, isThere(place.worktree) else { return false }
    guard let there = inside else { return true }
    guard try there.ask(["rev-parse", "--quiet", "--verify", "HEAD^{commit}"]) == place.base else {
      return true
    }
    if try !RepositoryState.changes(there).isEmpty { return true }
    guard let work = try wholeWork() else { return false }
    return try work.tree != git.must(["rev-parse", "\(place.base)^{tree}"])
  }

  /// Keeps all work on a branch `wip/...`, in whatever state the worktree is, unless there is none.
  ///
  /// - Parameter safe: branches and commits that stay: what they have needs no other branch.
  /// - Returns: that branch.
  /// - Throws: when something there would be lost with the worktree.
  func keep(_ reason: String, safe: [String] = []) throws(BusError) -> String? {
    let tip = try tip()
    guard let work = try wholeWork() else {
      // Without files there is nothing but the branch.
      guard let tip, try FailedWork.isNew(tip, besides: safe + [place.base], git) else {
        return nil
      }
      return try FailedWork.keep(git, commit: tip, task: place.name)
    }
    return try FailedWork.keep(work, task: place.name, reason: reason, tip: tip, safe: safe)
  }

  /// What is in the worktree; nil when there is none.
  private func wholeWork() throws(BusError) -> WholeWork? {
    guard let known = try known else {
      guard try GitWorktrees.isForgotten(place.worktree, git) else { return nil }
      return try adopted()
    }
    guard !known.isHalfMade, isThere(place.worktree) else { return nil }
    if !isThere("\(place.worktree)/.git") {
      _ = try git.run(["worktree", "repair", place.worktree])
    }
    if let there = inside {
      try unlock()
      let folder = try there.must(["rev-parse", "--absolute-git-dir"]) + "/conclave-ralph"
      try DurableFile.makeFolder(folder)
      WorkSnapshot.removeStaleLock(folder: folder)
      return try WholeWork(there, folder: folder, base: place.base)
    }
    // Somebody has put another repository there, or has broken this one.
    var work = try adopted()
    work.takeHistory(place.worktree)
    return work
  }

  /// What is in the worktree, without whatever repository is there.
  private func adopted() throws(BusError) -> WholeWork {
    let common = try git.commonDirectory()
    let folder = "\(common)/conclave-keep"
    try DurableFile.makeFolder(folder)
    WorkSnapshot.removeStaleLock(folder: folder)
    return try WholeWork(
      git.adopting(place.worktree, gitDirectory: common), folder: folder, base: place.base,
      start: try tip() ?? place.base)
  }

  /// Removes the worktree and the branch; what is not on another branch is lost.
  ///
  /// - Throws: `busy` when something of the worktree stays. If it is but files, the branch is gone.
  func remove() throws(BusError) {
    let left = try GitWorktrees.remove(place.worktree, git)
    if let tip = try tip() {
      try git.must(["update-ref", "-d", "refs/heads/\(place.branch)", tip])
    }
    if let left { throw left }
  }

  /// Removes the worktree, with everything in it that is not committed.
  ///
  /// - Throws: `busy` when something of it stays.
  func removeWorktree() throws(BusError) {
    if let left = try GitWorktrees.remove(place.worktree, git) { throw left }
  }

  /// Removes locks of git commands that were killed in the worktree. Call only when nobody works in
  /// it.
  func unlock() throws(BusError) {
    let there = try git.elsewhere(place.worktree)
    let folder = try there.must(["rev-parse", "--absolute-git-dir"])
    for name in ["index.lock", "HEAD.lock"] { unsafe unlink("\(folder)/\(name)") }
    if isThere("\(folder)/locked") {
      _ = try git.run(["worktree", "unlock", place.worktree])
    }
  }

  private func refuseFiles() throws(BusError) {
    guard isThere(place.worktree), unsafe rmdir(place.worktree) != 0 else { return }
    throw TaskWorktree.taken(place.worktree)
  }

  /// What to say when there is something where a worktree is to be.
  static func taken(_ path: String) -> BusError {
    BusError(
      .busy, "there is something at \(shown(path)) already",
      hint: "move it away, or choose another directory with PARALLEL_WORKTREE_DIR")
  }
}
