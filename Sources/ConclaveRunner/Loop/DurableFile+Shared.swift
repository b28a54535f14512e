import ConclaveBus
import Glibc

/// Files that are not only ours.
extension DurableFile {
  /// Replaces a file as ``write(_:to:like:)`` does, and leaves as it is who may read it and that it
  /// is reached by a symbolic link. A new one is for whom the user's new files are.
  ///
  /// - Throws: see ``write(_:to:like:)``.
  static func rewrite(_ bytes: [UInt8], at path: String) throws(BusError) {
    var target = path
    if let resolved = unsafe realpath(path, nil) {
      target = unsafe String(cString: resolved)
      unsafe free(resolved)
    }
    if let slash = target.lastIndex(of: "/") {
      let name = String(target[target.index(after: slash)...])
      removeHalfWritten(in: String(target[..<slash]), of: [name])
    }
    var information = stat()
    let isThere = unsafe stat(target, &information) == 0
    try write(bytes, to: target, like: isThere ? .existing(information) : .usual)
  }

  /// Whose a file is, and who may read it.
  enum Access {
    /// Only we.
    case own
    /// As with every new file of the user's.
    case usual
    case existing(stat)

    var creationMode: mode_t { if case .usual = self { 0o666 } else { 0o600 } }

    /// What the file system or our rights do not allow stays as it is.
    func apply(to file: OwnedFile) {
      guard case .existing(let information) = self else { return }
      // First the owner: a change of it takes away rights.
      _ = fchown(file.number, information.st_uid, information.st_gid)
      fchmod(file.number, information.st_mode & 0o7777)
    }
  }
}
