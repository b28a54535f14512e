import ConclaveBus
import Glibc

/// What must hold of a repository before somebody works in it. Each says what to do about it.
extension RepositoryState {
  func requireCommits() throws(BusError) {
    guard head == nil else { return }
    throw BusError(
      .notFound, "the repository has no commits yet",
      hint: "commit something first, so that there is something to compare with")
  }

  func requireBranch(allowsProtected: Bool) throws(BusError) {
    guard let branch else {
      throw BusError(
        .unsupported, "HEAD is detached: no branch would have the work",
        hint: "git switch -c a-branch")
    }
    guard allowsProtected || !["main", "master"].contains(branch) else {
      throw BusError(
        .unsupported, "the branch \(branch) is protected",
        hint: "git switch -c a-branch, or use --allow-protected")
    }
  }

  func requireNoOperation() throws(BusError) {
    guard let operation else { return }
    throw BusError(.unsupported, "\(operation) is under way", hint: "finish or abort it first")
  }

  func requireNoChanges(hint: String) throws(BusError) {
    guard let first = changes.first else { return }
    let others = changes.count > 1 ? " and \(changes.count - 1) more" : ""
    throw BusError(
      .unsupported, "there are changes that are not committed: \(shown(first))\(others)",
      hint: hint)
  }
}

extension GitCommand {
  func requireIdentity(hint: String) throws(BusError) {
    guard try !run(["var", "GIT_COMMITTER_IDENT"]).succeeded else { return }
    throw BusError(.notFound, "git does not know who commits", hint: hint)
  }
}

/// Room on a file system.
enum DiskRoom {
  /// What any work takes: its state, its logs, its commits.
  static let least: UInt64 = 16 << 20

  /// In bytes; nil when that is not known.
  static func free(at path: String) -> UInt64? {
    var system = statvfs()
    guard unsafe statvfs(path, &system) == 0 else { return nil }
    let (free, overflow) = UInt64(system.f_bavail).multipliedReportingOverflow(
      by: UInt64(system.f_frsize))
    return overflow ? .max : free
  }

  /// - Throws: `noSpace` when less than `count` bytes are free, `permissionDenied` and others when
  ///   nothing can be written there.
  static func require(_ count: UInt64 = least, at path: String) throws(BusError) {
    guard let free = free(at: path) else { return }
    guard free >= count else {
      throw BusError(
        .noSpace, "less than \(count >> 20) MiB are free at \(shown(path))",
        hint: "make room on that file system")
    }
    guard unsafe access(path, W_OK) == 0 else { throw systemError("write in \(shown(path))") }
  }
}
