/// Where one task of a plan is worked on. All paths are absolute.
public struct TaskPlace: Hashable, Sendable {
  /// The number in the plan.
  public let task: Int
  /// `task-7`: its name as a sender on the board.
  public let name: String
  /// `task/7-the-slug`.
  public let branch: String
  /// The top of its worktree.
  public let worktree: String
  /// What its program says, in all attempts.
  public let log: String
  /// The commit that the branch begins at.
  public let base: String

  init(_ task: PlanTask, base: String, worktrees: String, logs: String) {
    self.task = task.id
    name = TaskPlace.name(task.id)
    branch = task.branchName
    worktree = "\(worktrees)/\(task.folderName)"
    log = "\(logs)/\(task.folderName).log"
    self.base = base
  }

  static func name(_ task: Int) -> String { "task-\(task)" }
}
