import ConclaveBus
import Glibc

/// What of a checkout was somebody's before git was to move it from one commit to another: kept on
/// the disk from before git begins until it has ended well, or is put back.
struct CheckoutMemo: Hashable, Sendable {
  let old: String
  let new: String
  /// The top of the worktree.
  let top: String
  /// Paths that differ in the two commits and were not as the old one has them.
  private(set) var others: Set<GitPath> = []
  /// Paths that the old one has, and that somebody had removed without saying so to git.
  private(set) var gone: Set<GitPath> = []
  /// What the indexes take with which a checkout is put back, in bytes.
  private var room = 1 << 17

  /// Looks at the checkout. O(its files), as `git status` is.
  ///
  /// - Parameter scratch: a path for an index that is nobody else's.
  init(
    _ there: GitCommand, from old: String, to new: String, scratch: String
  ) throws(BusError) {
    (self.old, self.new, top) = (old, new, there.directory)
    var staged: Set<GitPath> = []
    for (change, _) in try TreeChange.raw(there, ["diff-index", "--cached", old]) {
      staged.insert(change.path)
    }
    var edited: [GitPath: Character] = [:]
    let arguments = ["diff", "--ignore-submodules=all", "--no-ext-diff"]
    let refreshing = there.configured("diff.autoRefreshIndex", "true")
    for (change, kind) in try TreeChange.raw(refreshing, arguments) { edited[change.path] = kind }
    let changes = try TreeChange.list(there, from: old, to: new)
    // Git itself does not look whether they are edited, until it would write over them.
    let overlooked = try there.overlooked()
    let secret = changes.filter { $0.old != nil && overlooked.contains($0.path) }
    for (path, kind) in try there.differing(secret, \.old, scratch: scratch) where kind != "D" {
      edited[path] = kind
    }
    for change in changes {
      let path = change.path
      room &+= 4 &* (path.count &+ 100)
      let kind = CheckoutPath(path, in: top).kind
      guard let side = change.old else {
        let isFree = kind == .nothing || kind == .folder
        if staged.contains(path) || !isFree { others.insert(path) }
        continue
      }
      if !side.isRepository, !staged.contains(path), edited[path] == "D" {
        gone.insert(path)
      } else if side.isRepository || staged.contains(path) || edited[path] != nil
        || kind == .nothing
      {
        // The last is what a sparse checkout leaves out.
        others.insert(path)
      }
    }
  }

  // MARK: On the disk

  /// - Throws: `noSpace`, `permissionDenied`, `system`.
  func write(to path: String) throws(BusError) {
    var fields = [old, new, top].map { Array($0.utf8) }
    fields += others.map { [UInt8(ascii: "o")] + $0 } + gone.map { [UInt8(ascii: "g")] + $0 }
    try DurableFile.write(Array(fields.joined(separator: [0])), to: path)
    try reserve(CheckoutMemo.reserve(path))
  }

  /// A file that only takes room: removed when a checkout is put back, since the disk may be full.
  private static func reserve(_ path: String) -> String { "\(path).room" }

  private func reserve(_ path: String) throws(BusError) {
    let file = OwnedFile(
      unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600))
    guard file.number >= 0 else { throw systemError("write \(shown(path))") }
    let code = posix_fallocate(file.number, 0, off_t(room))
    guard code == 0 else { throw systemError("write \(shown(path))", code) }
  }

  static func release(_ path: String) { unsafe unlink(reserve(path)) }

  static func remove(_ path: String) {
    release(path)
    unsafe unlink(path)
  }

  /// - Returns: nil when there is none, or one of another move.
  init?(_ path: String, from old: String, to new: String) throws(BusError) {
    guard let bytes = try DurableFile.read(path, limit: 1 << 28) else { return nil }
    let fields = bytes.split(separator: 0)
    guard fields.count >= 3 else { return nil }
    let names = fields[..<3].map { String(decoding: $0, as: UTF8.self) }
    guard names[0] == old, names[1] == new else { return nil }
    (self.old, self.new, top) = (old, new, names[2])
    for field in fields[3...] {
      let path = Array(field.dropFirst())
      if field.first == UInt8(ascii: "g") { gone.insert(path) } else { others.insert(path) }
    }
  }
}
