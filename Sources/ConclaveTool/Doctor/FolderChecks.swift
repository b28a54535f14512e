import ConclaveBus
import Glibc

/// What lies in a bus directory besides messages.
struct FolderChecks {
  private let directory: BusDirectory

  init(_ directory: BusDirectory) { self.directory = directory }

  func run() -> [Finding] { locks() + policyRights() }

  /// Whoever wants to write opens them.
  private func locks() -> [Finding] {
    [".filebus.lock", ".mirror.lock"].compactMap { name in
      guard let mode = status(of: name)?.st_mode, mode & S_IFMT != S_IFREG else { return nil }
      return .error(
        "a lock", "\(directory.path)/\(name) is not a regular file, so nobody can take it",
        hint: "look at what it is, and remove it")
    }
  }

  /// Everybody who takes part must be able to read it, or can do nothing.
  private func policyRights() -> [Finding] {
    guard let file = status(of: BusPolicy.fileName), let folder = status(of: ".") else { return [] }
    let isShared = folder.st_mode & 0o020 != 0
    let isReadable = file.st_mode & (file.st_gid == folder.st_gid ? 0o040 : 0o004) != 0
    guard isShared, !isReadable else { return [] }
    return [
      .warning(
        "the policy", "of \(directory.path) cannot be read by the group that shares the bus",
        hint: "chmod a+r \(directory.path)/\(BusPolicy.fileName), or it is its owner's alone")
    ]
  }

  private func status(of name: String) -> stat? {
    var status = stat()
    return unsafe lstat("\(directory.path)/\(name)", &status) == 0 ? status : nil
  }
}
