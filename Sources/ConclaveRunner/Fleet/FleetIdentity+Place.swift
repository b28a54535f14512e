import ConclaveBus

/// Where a run was begun need not be there for ever: a repository is moved, a linked worktree is
/// removed.
extension FleetIdentity {
  /// - Parameter git: in any worktree of the repository.
  /// - Throws: `notFound` when nobody can go on where the run was begun.
  func requirePlace(_ git: GitCommand) throws(BusError) {
    guard let words = lostPlace(git) else { return }
    throw BusError(
      .notFound, "the run \(run) \(words), so that nobody can go on with it",
      hint: "begin anew with --fresh, which keeps its work on branches")
  }

  /// What has become of the place where it was begun; nil when the run can go on there.
  func lostPlace(_ git: GitCommand) -> String? {
    if git.worktree(at: top) != nil { return nil }
    let what = isThere(top) ? "no worktree of this repository" : "gone"
    return "was begun in \(shown(top)), which is \(what)"
  }

  /// The run as if it had been begun where `git` is, to clear away what is left of it: its branches
  /// are the repository's, and worktrees inside of what was moved have come along.
  ///
  /// - Parameter git: at the top of a worktree.
  func moved(to git: GitCommand) throws(BusError) -> FleetIdentity {
    var moved = self
    moved.top = git.directory
    guard worktrees.hasPrefix("\(top)/") else { return moved }
    let name = worktrees.dropFirst(top.count)
    let tops = [git.directory] + (try GitWorktrees.list(git).map(\.path))
    let places = tops.map { "\($0)\(name)" }
    moved.worktrees = places.first(where: isThere) ?? places[0]
    return moved
  }
}

extension FleetSite {
  /// Where what is left of a run can be cleared away: where it was begun, or else here.
  ///
  /// - Parameter git: at the top of a worktree of the repository.
  static func clearing(
    _ identity: FleetIdentity, _ git: GitCommand, _ environment: [String: String]
  ) throws(BusError) -> FleetSite {
    guard identity.lostPlace(git) != nil else { return try FleetSite(identity, environment) }
    return try FleetSite(identity.moved(to: git), environment)
  }
}
