import Glibc

/// The directory that *is* a bus: checked once, then named by path, device and inode.
///
/// A bus directory belongs to the user who uses it and nobody else can write in it, or to a group
/// and nobody but its members can (``BusAccess``), so what lies in it was put there by those who
/// take part.
public struct BusDirectory: Hashable, Sendable {
  /// Absolute, without symbolic links, `.` or `..`.
  public let path: String
  public let device: UInt64
  public let inode: UInt64
  /// The uid of who owns it.
  public let owner: UInt32
  /// Who takes part in the bus.
  public let access: BusAccess

  /// Opens `path`, and makes it and its missing parents if `create` says so.
  ///
  /// - Parameter access: who takes part. To name a group is to say that its members are trusted: a
  ///   directory that is a group's is refused unless that group is named.
  /// - Throws: `invalidName` for a path that cannot be a directory's, being below a file or too
  ///   long; `notFound` when it does not exist and `create` is false; `permissionDenied` when it
  ///   belongs to somebody else, its mode is not what `access` asks for, this process is not of the
  ///   group, or its last component is somebody else's symbolic link; `incompatible` when it is
  ///   not a directory; `noSpace`, `system`.
  public init(
    opening path: String, create: Bool = true, access: BusAccess = .user
  ) throws(BusError) {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw BusError(
        .notFound, "\(quotedForError(path)) is not a path", hint: "name a directory for the bus")
    }
    let trimmed = BusDirectory.withoutTrailingSlashes(path)
    guard access.isMember else { throw BusDirectory.notAMember(trimmed, access) }
    if create { try BusDirectory.makeDirectories(trimmed, access) }
    try BusDirectory.refuseForeignLink(trimmed)
    self.path = try BusDirectory.canonical(trimmed)
    let status = try BusDirectory.checkedStatus(self.path, access)
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    owner = status.st_uid
    self.access = access
  }

  /// A descriptor of the directory, for `openat` and its kin.
  ///
  /// - Throws: `notFound` when another directory stands there now; `permissionDenied`, `system`.
  func open() throws(BusError) -> OwnedDescriptor {
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    let descriptor = offStandard(unsafe Glibc.open(path, flags))
    guard descriptor >= 0 else { throw .system("open", path) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, UInt64(status.st_ino) == inode,
      UInt64(status.st_dev) == device
    else {
      close(descriptor)
      throw BusError(
        .notFound, "the bus directory \(quotedForError(path)) was replaced by another one",
        hint: "open the bus again")
    }
    return OwnedDescriptor(descriptor, access: access)
  }

  /// Whether it still is what lies at its path; true also where nobody can look. One system call.
  var isInPlace: Bool {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return errno != ENOENT && errno != ENOTDIR }
    return UInt64(status.st_ino) == inode && UInt64(status.st_dev) == device
  }

  // MARK: Checks

  /// A failed system call; a path that can never be a directory's is the caller's mistake.
  private static func unusable(
    _ doing: String, _ path: String, errno code: Int32 = errno
  ) -> BusError {
    let error = BusError.system(doing, path, errno: code)
    guard [ENOTDIR, ENAMETOOLONG, ELOOP].contains(code) else { return error }
    return BusError(
      .invalidName, error.message, hint: "name another directory for the bus")
  }

  private static func withoutTrailingSlashes(_ path: String) -> String {
    var end = path.utf8.endIndex
    while end > path.utf8.index(after: path.utf8.startIndex),
      path.utf8[path.utf8.index(before: end)] == UInt8(ascii: "/")
    {
      end = path.utf8.index(before: end)
    }
    return String(path[..<end])
  }

  private static func makeDirectories(
    _ path: String, _ access: BusAccess
  ) throws(BusError) {
    var status = stat()
    // lstat: a dangling link is not a missing directory, and mkdir would not follow it.
    if unsafe lstat(path, &status) == 0 { return }
    guard errno == ENOENT else { throw unusable("look at", path) }
    if let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash > path.utf8.startIndex {
      try makeDirectories(withoutTrailingSlashes(String(path[..<slash])), access)
    }
    // Somebody else may have been faster, which is as good.
    let failure = access.makeFolder(path)
    guard failure == 0 || failure == EEXIST else {
      throw unusable("make the bus directory", path, errno: failure)
    }
  }

  private static func refuseForeignLink(_ path: String) throws(BusError) {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else {
      let code = errno
      guard code == ENOENT else { throw unusable("look at", path, errno: code) }
      throw BusError(
        .notFound, "there is no bus directory \(quotedForError(path))",
        hint: "start something that publishes on this bus, or name another directory")
    }
    guard status.st_mode & S_IFMT == S_IFLNK, status.st_uid != geteuid() else { return }
    throw BusError(
      .permissionDenied,
      "\(quotedForError(path)) is a symbolic link of another user (uid \(status.st_uid))",
      hint: "name the directory itself")
  }

  private static func canonical(_ path: String) throws(BusError) -> String {
    guard let resolved = unsafe realpath(path, nil) else {
      let code = errno
      guard code == ENOENT else { throw unusable("resolve", path, errno: code) }
      throw BusError(
        .notFound, "\(quotedForError(path)) is a symbolic link to nothing",
        hint: "remove the link, or make the directory that it names")
    }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }
}
