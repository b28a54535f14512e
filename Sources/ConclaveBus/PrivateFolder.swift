import Glibc

/// A folder in a bus directory that nobody may enter but those who take part.
enum PrivateFolder {
  /// Opens the folder, and makes it if need be, as ``BusAccess`` of `directory` says. Never follows
  /// a symbolic link.
  ///
  /// - Throws: `incompatible` when something else bears its name; `permissionDenied` when it
  ///   belongs to a stranger or is open to others; `noSpace`, `exhausted`, `system`.
  static func open(
    _ name: String, in directory: OwnedDescriptor
  ) throws(BusError) -> OwnedDescriptor {
    let access = directory.access
    let failure = access.makeFolder(name, in: directory.number)
    guard failure == 0 || failure == EEXIST else { throw .system("make", name, errno: failure) }
    let folder = try existing(name, in: directory)
    var status = stat()
    guard unsafe fstat(folder.number, &status) == 0 else { throw .system("look at", name) }
    try checkPrivate(status, name, access)
    return folder
  }

  /// - Throws: `permissionDenied` unless it is theirs alone who take part.
  static func checkPrivate(
    _ status: stat, _ name: String, _ access: BusAccess
  ) throws(BusError) {
    if access.stranger(status) != nil {
      let whose =
        if case .group = access { "group (gid \(status.st_gid))" } else {
          "user (uid \(status.st_uid))"
        }
      throw BusError(
        .permissionDenied, "\(quotedForError(name)) belongs to another \(whose)",
        hint: "move it away")
    }
    guard !access.isOpenToOthers(status) else {
      throw BusError(
        .permissionDenied, "\(quotedForError(name)) in the bus directory is open to others",
        hint: "chmod go-rwx it, if nobody has changed it, or else remove it")
    }
  }

  /// Opens the folder if it is there.
  static func existing(
    _ name: String, in directory: OwnedDescriptor
  ) throws(BusError) -> OwnedDescriptor {
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
    let number = offStandard(unsafe openat(directory.number, name, flags))
    guard number >= 0 else {
      let code = errno
      guard [ENOTDIR, ELOOP].contains(code) else { throw .system("open", name, errno: code) }
      throw BusError(
        .incompatible, "\(quotedForError(name)) in the bus directory is not a directory",
        hint: "move it away")
    }
    return OwnedDescriptor(number, access: directory.access)
  }

  /// The names in the folder, in no order.
  static func names(in folder: OwnedDescriptor) throws(BusError) -> [String] {
    // A descriptor of its own, because reading a directory moves its descriptor's place.
    let number = unsafe openat(folder.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else {
      if errno == ENOENT { return [] }
      throw .system("list", "a folder of the bus directory")
    }
    guard let stream = unsafe fdopendir(number) else {
      let code = errno
      close(number)
      throw .system("list", "a folder of the bus directory", errno: code)
    }
    defer { unsafe closedir(stream) }
    var found: [String] = []
    while let entry = unsafe readdir(stream) {
      found.append(
        unsafe withUnsafeBytes(of: &entry.pointee.d_name) { name in
          unsafe String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        })
    }
    return found
  }
}
