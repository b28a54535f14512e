/// A task whose worktree is watched.
public struct RadarTask: Hashable, Sendable {
  /// Its name as a sender on the board.
  public let name: String
  /// The top of its worktree, absolute.
  public let worktree: String
  /// The commit that it began at.
  public let base: String
  /// Its branch, without `refs/heads/`: what counts once the worktree is gone.
  public let branch: String?

  public init(name: String, worktree: String, base: String, branch: String? = nil) {
    self.name = name
    self.worktree = worktree
    self.base = base
    self.branch = branch
  }

  public init(_ place: TaskPlace) {
    self.init(
      name: place.name, worktree: place.worktree, base: place.base, branch: place.branch)
  }
}
