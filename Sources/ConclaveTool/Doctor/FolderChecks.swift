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
      guard let mode = mode(of: name), mode & S_IFMT != S_IFREG else { return nil }
      return .error(
        "a lock", "\(directory.path)/\(name) is not a regular file, so nobody can take it",
        hint: "look at what it is, and remove it")
    }
  }

  /// Everybody who takes part must be able to read it, or can do nothing.
  private func policyRights() -> [Finding] {
    guard let file = mode(of: BusPolicy.fileName), let folder = mode(of: "."),
      folder & 0o070 != 0, file & 0o044 == 0
    else { return [] }
    return [
      .warning(
        "the policy", "of \(directory.path) cannot be read by the others who share the bus",
        hint: "chmod a+r \(BusPolicy.fileName), or nobody but its owner can use the bus")
    ]
  }

  private func mode(of name: String) -> mode_t? {
    var status = stat()
    return unsafe lstat("\(directory.path)/\(name)", &status) == 0 ? status.st_mode : nil
  }
}
