import ConclaveBus
import Glibc

extension GitCommand {
  /// Which paths of the checkout are not as one side has them, and how: only what git itself
  /// compares counts, with its filters, types and modes. What a user has had git overlook does not.
  ///
  /// - Parameter scratch: a path for an index that is nobody else's.
  func differing(
    _ changes: [TreeChange], _ side: KeyPath<TreeChange, TreeChange.Side?>, scratch: String
  ) throws(BusError) -> [GitPath: Character] {
    let own = changes.filter { $0[keyPath: side].map { !$0.isRepository } ?? false }
    let others = changes.filter { $0[keyPath: side]?.isRepository ?? false }
    // What a repository has in it is not asked: the directory alone is as good as nothing.
    var found: [GitPath: Character] = [:]
    for change in others { found[change.path] = "D" }
    if own.isEmpty { return found }
    GitCommand.removeIndex(scratch)
    defer { GitCommand.removeIndex(scratch) }
    try updateIndex(own, to: { $0[keyPath: side] }, index: scratch)
    let refresh = ["update-index", "-q", "--refresh"]
    let result = try run(refresh, index: scratch)
    guard [.code(0), .code(1)].contains(result.exit) else { throw failure(refresh, result) }
    for (change, kind) in try TreeChange.raw(self, ["diff-files"], index: scratch) {
      found[change.path] = kind
    }
    return found
  }

  /// The paths that the user has had git overlook: `skip-worktree`, also of a sparse checkout, and
  /// `assume-unchanged`. O(files of the checkout).
  func overlooked() throws(BusError) -> Set<GitPath> {
    var found: Set<GitPath> = []
    // A letter and a space: S, or any small one.
    for line in try list(["ls-files", "-v", "-z"]) {
      guard let letter = line.first, letter == UInt8(ascii: "S") || letter > UInt8(ascii: "Z")
      else { continue }
      found.insert(Array(line.dropFirst(2)))
    }
    return found
  }

  static func removeIndex(_ path: String) {
    unsafe unlink(path)
    unsafe unlink("\(path).lock")
  }
}
