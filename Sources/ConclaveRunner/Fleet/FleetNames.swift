import ConclaveBus

/// The names that the tasks of a new run need: their branches and their worktrees.
struct FleetNames {
  let git: GitCommand
  let tasks: [PlanTask]

  /// - Throws: `busy` while there are branches of these names.
  func requireBranches() throws(BusError) {
    let text = try git.must([
      "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/task", "refs/heads/task/",
      "refs/heads/wip",
    ])
    let branches = Set(text.split(separator: "\n").map(String.init))
    if branches.contains(FailedWork.prefix) { throw FailedWork.taken }
    let wanted = ["task"] + tasks.map(\.branchName)
    let taken = wanted.filter(branches.contains)
    guard let first = taken.first else { return }
    let others = taken.count > 1 ? " and \(taken.count - 1) more" : ""
    throw BusError(
      .busy, "there is a branch \(first)\(others) already, and a task needs that name",
      hint: try GitWorktrees.hint(branch: first, git))
  }

  /// - Parameter worktrees: the directory that they will be in.
  /// - Throws: `busy` when something that may be somebody's work is where one of them is to be.
  func requireRoom(in worktrees: String) throws(BusError) {
    for task in tasks {
      let path = "\(worktrees)/\(task.folderName)"
      if hasAnything(at: path) { throw TaskWorktree.taken(path) }
    }
    let merged = FleetSite.gateWorktree(in: worktrees)
    // What a run has left that was killed is removed by the next one.
    if hasAnything(at: merged), try !GitWorktrees.has(merged, git) {
      throw TaskWorktree.taken(merged)
    }
  }
}
