import ConclaveBus
import Glibc

/// The repository that a run works in, and where its things are.
struct FleetSite: Sendable {
  /// The top of the worktree in which the run was begun.
  let top: String
  /// The branch that everything is merged into.
  let branch: String
  /// In ``top``. Its commands are marked as the run's own.
  let git: GitCommand
  let folder: FleetFolder
  /// Where the tasks' worktrees are; absolute.
  let worktrees: String
  /// What the programs are given that work on tasks.
  let environment: [String: String]

  var advance: BranchAdvance {
    BranchAdvance(git: git, branch: branch, memo: folder.checkoutMemo)
  }

  var checkoutRepair: CheckoutRepair {
    CheckoutRepair(git, branch: branch, memo: folder.checkoutMemo)
  }

  /// Where merged work is tested.
  var gateWorktree: String { FleetSite.gateWorktree(in: worktrees) }

  static func gateWorktree(in worktrees: String) -> String { "\(worktrees)/merged" }

  /// - Throws: `notFound` outside of a repository or without commits, `unsupported` when no branch
  ///   is checked out, for a bare repository, and with a git that is too old.
  init(_ options: FleetOptions) throws(BusError) {
    let state = try RepositoryState.of(options.directory, environment: options.environment)
    guard let branch = state.branch else {
      throw BusError(
        .unsupported, "HEAD is detached: no branch would have the work",
        hint: "git switch -c a-branch")
    }
    guard state.head != nil else {
      throw BusError(
        .notFound, "the repository has no commits yet",
        hint: "commit something first, so that tasks have something to begin with")
    }
    try self.init(
      top: state.top, branch: branch, worktrees: options.worktreeFolder, options.environment)
  }

  /// The site of a run that goes on.
  init(_ identity: FleetIdentity, _ environment: [String: String]) throws(BusError) {
    try self.init(
      top: identity.top, branch: identity.branch, worktrees: identity.worktrees, environment)
  }

  private init(
    top: String, branch: String, worktrees: String, _ environment: [String: String]
  ) throws(BusError) {
    self.top = top
    self.branch = branch
    self.worktrees = FleetSite.absolute(worktrees, in: top)
    let plain = try GitCommand(in: top, environment: environment)
    folder = try FleetFolder(plain)
    var marked = environment
    marked[FleetMark.git] = folder.path
    git = try GitCommand(in: top, environment: marked)
    var member = environment
    member[FleetMark.member] = folder.path
    // A run's boards are its user's alone, whatever other buses are.
    for name in ["BUS_GROUP", "BUS_MODE"] { member[name] = nil }
    self.environment = member
    try requireMergeTree()
  }

  /// - Parameter worktrees: the folder of the tasks' worktrees, as it was named.
  static func absolute(_ worktrees: String, in top: String) -> String {
    worktrees.hasPrefix("/") ? worktrees : "\(top)/\(worktrees)"
  }

  private func requireMergeTree() throws(BusError) {
    let arguments = ["merge-tree", "--write-tree", "HEAD", "HEAD"]
    let result = try git.run(arguments)
    if result.succeeded { return }
    // That of a git that does not know what is asked.
    let usageExit = ChildResult.Exit.code(129)
    guard result.exit == usageExit else { throw git.failure(arguments, result) }
    throw BusError(
      .unsupported, "this git cannot merge without a checkout (git merge-tree --write-tree)",
      hint: "install git 2.38 or newer")
  }

  /// The directories of the run, kept out of every commit.
  func make() throws(BusError) {
    try WorkSnapshot.ignoreOwnFiles(git, besides: ignored)
    try folder.make()
  }

  /// Patterns for the worktrees below the top, and for nothing else: what the user or a task has
  /// beside them is to be seen.
  private var ignored: [String] {
    guard worktrees.hasPrefix("\(top)/") else { return [] }
    var names: [String] = []
    for name in worktrees.dropFirst(top.count).split(separator: "/") where name != "." {
      if name != ".." {
        names.append(name.map { "*?[\\".contains($0) ? "\\\($0)" : "\($0)" }.joined())
      } else if names.popLast() == nil {
        return []
      }
    }
    return ["task-[0-9]*/", "merged/"].map { (names + [$0]).joined(separator: "/") }
  }

  func worktree(_ place: TaskPlace) -> TaskWorktree { TaskWorktree(git: git, place: place) }

  /// Removes a task's worktree and branch. What nothing that is `safe` has is kept.
  ///
  /// - Parameter safe: branches and commits that stay.
  /// - Returns: the branch that has it, or nil.
  func clear(_ place: TaskPlace, safe: [String]) throws(BusError) -> String? {
    let worktree = worktree(place)
    let kept = try worktree.keep("found on \(place.branch)", safe: safe)
    try worktree.remove()
    return kept
  }

  func refLocks(_ plan: Plan) -> RefLocks {
    RefLocks(git: git, branch: branch, tasks: plan.tasks.map(\.branchName))
  }

  /// - Returns: what to say when something of it stays, or nil.
  func removeGateWorktree() -> BusError? {
    do throws(BusError) { return try GitWorktrees.remove(gateWorktree, git) } catch { return error }
  }
}
