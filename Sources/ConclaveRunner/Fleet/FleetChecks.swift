import ConclaveBus
import Glibc

/// What must hold of a repository before a plan is carried out in it, besides an agent.
struct FleetChecks {
  enum Check: CaseIterable {
    case noRecursion
    case commits
    case branch
    case noOperation
    case noChanges
    case identity
    case gitDirectory
    case worktrees
    case otherRuns
    case names

    /// What must hold for a run that goes on, too. It has its branch, whatever is checked out, and
    /// a merge that was interrupted is its own business.
    static let ofResumed: [Check] = [
      .noRecursion, .commits, .otherRuns, .identity, .gitDirectory, .worktrees,
    ]
  }

  let state: RepositoryState
  let git: GitCommand
  /// Where the tasks' worktrees are to be, absolute.
  let worktrees: String
  private let options: FleetPreflight.Options
  private let folder: FleetFolder

  var wanted: [Check] { options.isResume ? Check.ofResumed : Check.allCases }

  /// - Throws: when there is nothing to check.
  init(_ options: FleetPreflight.Options, _ stop: StopSignal?) throws(BusError) {
    self.options = options
    let environment = options.environment
    state = try RepositoryState.of(options.directory, environment: environment, newFiles: false)
    git = try GitCommand(in: state.top, environment: environment, stop: stop)
    folder = try FleetFolder(git)
    let begun = options.isResume ? try FleetLast(folder)?.ledger.identity : nil
    let path = begun?.worktrees ?? options.worktrees
    worktrees = path.hasPrefix("/") ? path : "\(state.top)/\(path)"
  }

  /// - Throws: what is wrong, and what to do.
  func run(_ check: Check) throws(BusError) {
    switch check {
    case .noRecursion: try requireNoRecursion()
    case .commits: try state.requireCommits()
    case .branch: try state.requireBranch(allowsProtected: options.allowsProtected)
    case .noOperation: try state.requireNoOperation()
    case .noChanges: try state.requireNoChanges(hint: "commit or stash them (git stash)")
    case .identity: try git.requireIdentity(hint: "git config user.name and user.email")
    case .gitDirectory: try requireGitDirectory()
    case .worktrees: try requireWorktrees()
    case .otherRuns: try requireNoOtherRun()
    case .names: try requireNames()
    }
  }

  private func requireNoOtherRun() throws(BusError) {
    guard !FileLock.isHeld(folder.lockFile) else { throw folder.busy }
    switch options.beginning {
    case .usual: try FleetLast(folder)?.requireOver()
    // Whatever there is is kept on branches.
    case .fresh: return
    case .resume:
      guard let identity = try FleetLast(folder)?.ledger.identity else { return }
      try identity.requirePlace(git)
      _ = try BranchAdvance(git: git, branch: identity.branch, memo: folder.checkoutMemo)
        .head
    }
  }

  private func requireNames() throws(BusError) {
    // Those of a run that is not over are its own.
    if FileLock.isHeld(folder.lockFile) || hasOpenRun { return }
    let names = FleetNames(git: git, tasks: options.tasks)
    try names.requireBranches()
    try names.requireRoom(in: worktrees)
  }

  private var hasOpenRun: Bool {
    do throws(BusError) { return try FleetLast(folder)?.isOpen ?? false } catch { return true }
  }

  /// An agent that is named by its place in the repository must be where tasks work.
  ///
  /// - Throws: `notFound`, `permissionDenied`.
  func requireCommitted(program: String) throws(BusError) {
    guard program.contains("/"), !program.hasPrefix("/") else { return }
    let entry = try git.run(["ls-tree", "HEAD", "--", program])
    guard entry.succeeded, let mode = entry.output.text.split(separator: " ").first else {
      // What is ignored may be made by the set-up.
      if try git.run(["check-ignore", "--quiet", "--", program]).succeeded { return }
      throw BusError(
        .notFound,
        "the agent's program \(shown(program)) is not in the last commit, with which tasks begin",
        hint: "commit it, or name it by its absolute path")
    }
    guard mode != "100644" else {
      throw BusError(
        .permissionDenied,
        "the agent's program \(shown(program)) may not be executed as it is committed",
        hint: "git update-index --chmod=+x it, and commit")
    }
  }

  /// A task of a plan that carried out a plan would do so again and again.
  private func requireNoRecursion() throws(BusError) {
    let name = options.environment[FleetPreflight.taskVariable] ?? taskOfWorktree
    guard let name else { return }
    throw BusError(
      .unsupported, "this is the work of \(shown(name)), itself a task of a plan",
      hint: "run plans in the worktree that they are for")
  }

  /// A linked worktree `task-7-slug` on the branch `task/7-slug` is one of ours.
  private var taskOfWorktree: String? {
    let folder = state.top.split(separator: "/").last.map(String.init)
    guard !state.gitDirectory.hasSuffix("/.git"), let branch = state.branch,
      branch.hasPrefix("task/"), folder == branch.replacing("/", with: "-")
    else { return nil }
    return folder
  }

  /// Commits and branches are made in it.
  private func requireGitDirectory() throws(BusError) {
    let common = try common
    for name in ["", "/objects", "/refs"] { try DiskRoom.require(0, at: common + name) }
  }

  private var common: String {
    get throws(BusError) {
      try git.commonDirectory()
    }
  }

  /// They need a directory, outside of git's own, with room for what the last commit has.
  private func requireWorktrees() throws(BusError) {
    let common = try common
    guard ![state.gitDirectory, common].contains(where: { "\(worktrees)/".hasPrefix("\($0)/") })
    else {
      throw BusError(
        .unsupported, "\(shown(worktrees)) is in git's own directory", hint: FleetChecks.elsewhere)
    }
    var existing = worktrees
    var information = stat()
    while unsafe stat(existing, &information) != 0 {
      guard unsafe lstat(existing, &information) != 0 else {
        throw BusError(
          .unsupported,
          "\(shown(existing)) is a symbolic link to nothing, so it cannot hold worktrees",
          hint: "remove it, or \(FleetChecks.elsewhere)")
      }
      guard errno == ENOENT, let slash = existing.lastIndex(of: "/"), slash > existing.startIndex
      else {
        throw BusError(
          .unsupported, "there can be no worktrees in \(shown(worktrees))",
          hint: FleetChecks.elsewhere)
      }
      existing = String(existing[..<slash])
    }
    guard information.st_mode & S_IFMT == S_IFDIR else {
      throw BusError(
        .unsupported, "\(shown(existing)) is not a directory, so it cannot hold worktrees",
        hint: FleetChecks.elsewhere)
    }
    try requireNoFiles(below: existing)
    try DiskRoom.require(try needed(), at: existing)
  }

  /// Among files that are committed, worktrees would be taken for some of them by every tool that
  /// looks there. A run that goes on may have merged such files itself.
  private func requireNoFiles(below existing: String) throws(BusError) {
    if options.isResume { return }
    guard let folder = unsafe realpath(existing, nil) else { return }
    defer { unsafe free(folder) }
    // What is not there yet has no files.
    let path = unsafe String(cString: folder)
    let top = "\(state.top)/".utf8
    guard existing == worktrees, "\(path)/".utf8.starts(with: top) else { return }
    let name = String(decoding: path.utf8.dropFirst(top.count), as: UTF8.self)
    let files = try git.must(["ls-files", "-z", "--", ":(top,literal)\(name)"])
    guard !files.isEmpty else { return }
    throw BusError(
      .unsupported,
      "\(shown(worktrees)) has files that are committed, so it is no place for worktrees",
      hint: FleetChecks.elsewhere)
  }

  private static let elsewhere = "put the worktrees somewhere else with --worktree-dir"

  /// About what as many checkouts take: what the files of the last commit have in bytes.
  private func needed() throws(BusError) -> UInt64 {
    // In a partial clone the question alone would fetch the files.
    guard try git.ask(["config", "extensions.partialClone"]) == nil else { return DiskRoom.least }
    let listing = try git.run(["ls-tree", "-r", "--format=%(objectsize)", "HEAD"])
    guard listing.succeeded else { return DiskRoom.least }
    let sizes = listing.output.text.split(separator: "\n").compactMap { Double($0.trimmed) }
    // Doubles do not overflow, and this is an estimate.
    let sum = sizes.reduce(0, +) * Double(max(1, options.worktreeCount))
    return UInt64(exactly: (sum + Double(DiskRoom.least)).rounded()) ?? .max
  }
}
