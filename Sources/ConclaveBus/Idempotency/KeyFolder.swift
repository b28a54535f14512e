import Glibc

/// The private folder `.keys` in a bus directory, in which the index of idempotency keys lies.
enum KeyFolder {
  static let name = ".keys"
  static let fileName = "index"

  /// Opens the folder, and makes it (mode 0700) if need be. Never follows a symbolic link.
  ///
  /// - Throws: `incompatible` when something else bears its name; `permissionDenied` when it
  ///   belongs to another user or is open to others; `noSpace`, `exhausted`, `system`.
  static func open(in directory: OwnedDescriptor) throws(BusError) -> OwnedDescriptor {
    guard unsafe mkdirat(directory.number, name, 0o700) == 0 || errno == EEXIST else {
      throw .system("make", name)
    }
    let folder = try existing(in: directory)
    var status = stat()
    guard unsafe fstat(folder.number, &status) == 0 else { throw .system("look at", name) }
    try checkPrivate(status, name)
    return folder
  }

  /// - Throws: `permissionDenied` unless it is this user's alone.
  static func checkPrivate(_ status: stat, _ name: String) throws(BusError) {
    guard status.st_uid == geteuid() else {
      throw BusError(
        .permissionDenied, "\(quotedForError(name)) belongs to another user (uid \(status.st_uid))",
        hint: "move it away")
    }
    guard status.st_mode & 0o077 == 0 else {
      throw BusError(
        .permissionDenied, "\(quotedForError(name)) in the bus directory is open to others",
        hint: "chmod go-rwx it, if nobody has changed it, or else remove it")
    }
  }

  /// Removes the index and the folder, where they are what they should be. Nobody may use them.
  static func remove(in directory: OwnedDescriptor) throws(BusError) {
    guard try TopicFile.status(of: name, in: directory) != nil,
      let folder = try? existing(in: directory)
    else { return }
    guard unsafe unlinkat(folder.number, fileName, 0) == 0 || errno == ENOENT else {
      throw .system("remove", "\(name)/\(fileName)")
    }
    // What somebody else has put there keeps it: nothing of ours.
    _ = unsafe unlinkat(directory.number, name, AT_REMOVEDIR)
  }

  private static func existing(in directory: OwnedDescriptor) throws(BusError) -> OwnedDescriptor {
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
    let number = offStandard(unsafe openat(directory.number, name, flags))
    guard number >= 0 else {
      let code = errno
      guard [ENOTDIR, ELOOP].contains(code) else { throw .system("open", name, errno: code) }
      throw BusError(
        .incompatible, "\(quotedForError(name)) in the bus directory is not a directory",
        hint: "move it away")
    }
    return OwnedDescriptor(number)
  }
}
