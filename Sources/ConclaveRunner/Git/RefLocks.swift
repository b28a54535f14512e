import ConclaveBus
import Glibc

/// Locks of git commands of a run that were killed with it, in the middle of moving or removing a
/// branch: as long as they lie there, every other git is refused. The index's own lock says more:
/// see ``CheckoutRepair``.
struct RefLocks {
  let git: GitCommand
  /// The branch that the run merges into.
  let branch: String
  /// Branches that nobody but the run uses.
  let tasks: [String]
  /// How long others, who may use the same, have to be done. They need some milliseconds.
  var patience: Duration = .seconds(5)

  /// Those that are there now and that no process has open.
  func find() throws(BusError) -> [String] {
    try (own() + shared()).filter { isThere($0) && ProcessTable.owner(ofFile: $0) == nil }
  }

  /// Removes those that stay. Call with the run's lock, with its git commands ended.
  ///
  /// - Returns: what was done, a line each.
  func remove() throws(BusError) -> [String] {
    var left = try own().filter(isThere)
    let clock = SuspendingClock()
    let end = clock.now.advanced(by: patience)
    var others = try shared().filter(isThere)
    while !others.isEmpty, clock.now < end {
      usleep(50_000)
      others = others.filter(isThere)
    }
    left += others.filter { ProcessTable.owner(ofFile: $0) == nil }
    return RefLocks.remove(left)
  }

  /// Removes those of the tasks' branches. Call when nobody works on a task any more.
  ///
  /// - Returns: what was done, a line each.
  func removeOwn() throws(BusError) -> [String] { try RefLocks.remove(own().filter(isThere)) }

  private static func remove(_ paths: [String]) -> [String] {
    for path in paths { unsafe unlink(path) }
    return paths.map { "removed \($0), which a killed git had left" }
  }

  private func own() throws(BusError) -> [String] {
    let common = try common()
    return tasks.map { "\(common)/refs/heads/\($0).lock" }
  }

  private func shared() throws(BusError) -> [String] {
    let common = try common()
    let folder = try git.must(["rev-parse", "--absolute-git-dir"])
    return ["\(common)/refs/heads/\(branch).lock", "\(common)/packed-refs.lock"]
      + ["HEAD", "ORIG_HEAD"].map { "\(folder)/\($0).lock" }
  }

  private func common() throws(BusError) -> String {
    try git.commonDirectory()
  }
}
