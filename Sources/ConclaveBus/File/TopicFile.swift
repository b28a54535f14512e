import CShim
import Glibc

/// A topic's file: how it is opened, and how it is recognised again.
enum TopicFile {
  /// Which file a name or a descriptor stands for.
  struct Identity: Hashable, Sendable {
    var device: UInt64
    var inode: UInt64

    init(device: UInt64, inode: UInt64) {
      self.device = device
      self.inode = inode
    }

    init(_ status: stat) {
      self.init(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }
  }

  /// Which file it is, and how many bytes long.
  struct Look {
    var identity: Identity
    var size: UInt64
  }

  /// Opens `name` in `directory`, and makes it, as ``BusAccess`` of `directory` says, if `create`
  /// does.
  ///
  /// Never follows a symbolic link and never blocks, whatever lies there.
  /// - Parameters:
  ///   - path: what errors call it, where `directory` is not the bus directory itself.
  ///   - holdsLock: as ``OwnedDescriptor/init(_:holdsLock:)``.
  /// - Throws: `notFound`; `permissionDenied` or `incompatible` when it is not a regular file of
  ///   those who take part, with one name; `noSpace`, `exhausted`, `system`.
  static func open(
    _ name: String, in directory: OwnedDescriptor, flags: Int32, create: Bool = false,
    path: String? = nil, holdsLock: Bool = false
  ) throws(BusError) -> (descriptor: OwnedDescriptor, status: stat) {
    let path = path ?? name
    let flags = flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
    let number = offStandard(
      create ? openOrMake(name, in: directory, flags) : unsafe openat(directory.number, name, flags)
    )
    guard number >= 0 else {
      let code = errno
      // What opening says about a link, a directory or a FIFO depends on the flags.
      guard [ELOOP, EISDIR, ENXIO].contains(code) else { throw .system("open", path, errno: code) }
      throw notATopicFile(path, flaw(of: name, in: directory) ?? "it is not a regular file")
    }
    let descriptor = OwnedDescriptor(number, holdsLock: holdsLock)
    var status = stat()
    guard unsafe fstat(number, &status) == 0 else { throw .system("look at", path) }
    if let reason = unsuitable(status, in: directory.access) { throw notATopicFile(path, reason) }
    return (descriptor, status)
  }

  /// A descriptor; or -1, and errno.
  private static func openOrMake(
    _ name: String, in directory: OwnedDescriptor, _ flags: Int32
  ) -> Int32 {
    guard directory.access.group != nil else {
      return unsafe openat(directory.number, name, flags | O_CREAT, 0o600)
    }
    let isNew = flags & O_EXCL != 0
    // Others may make and remove it between the steps, again and again.
    for _ in 0..<1000 {
      if !isNew {
        let number = unsafe openat(directory.number, name, flags)
        if number >= 0 || errno != ENOENT { return number }
      }
      let failure = directory.access.makeFile(name, in: directory.number)
      guard failure == 0 || failure == EEXIST && !isNew else {
        errno = failure
        return -1
      }
      if isNew { return unsafe openat(directory.number, name, flags & ~O_EXCL) }
    }
    return -1
  }

  /// Which file `name` stands for now; nil when there is nothing. Cheap, and makes no write dearer,
  /// as ``status(of:in:)`` does.
  static func look(at name: String, in directory: OwnedDescriptor) throws(BusError) -> Look? {
    if let look = look(directory.number, name) { return look }
    let code = errno
    if code == ENOENT { return nil }
    throw .system("look at", name, errno: code)
  }

  /// How long the open file `file`, called `name`, is now: as cheap as ``look(at:in:)``.
  static func size(of file: OwnedDescriptor, name: String) throws(BusError) -> UInt64 {
    guard let look = look(file.number, "") else { throw .system("look at", name) }
    return look.size
  }

  /// Nil, and errno, on failure.
  private static func look(_ descriptor: Int32, _ name: String) -> Look? {
    var (device, inode, size): (UInt64, UInt64, UInt64) = (0, 0, 0)
    guard unsafe conclave_file_look(descriptor, name, &device, &inode, &size) == 0 else {
      return nil
    }
    return Look(identity: Identity(device: device, inode: inode), size: size)
  }

  /// What `name` stands for now; nil when there is nothing.
  static func status(of name: String, in directory: OwnedDescriptor) throws(BusError) -> stat? {
    var status = stat()
    if unsafe fstatat(directory.number, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return status }
    let code = errno
    if code == ENOENT { return nil }
    throw .system("look at", name, errno: code)
  }

  /// Why the file must not be used as a topic file; nil when it may.
  static func unsuitable(_ status: stat, in access: BusAccess) -> String? {
    if let kind = kindOfIrregular(status) { return "it is \(kind), not a regular file" }
    if let reason = access.stranger(status) { return reason }
    if access.group != nil, status.st_mode & 0o007 != 0 { return "it is open to others" }
    if status.st_nlink > 1 { return "it has \(status.st_nlink) names (hard links)" }
    return nil
  }

  /// The same of what bears `name` now, also when it cannot be looked at.
  static func flaw(of name: String, in directory: OwnedDescriptor) -> String? {
    do throws(BusError) {
      return try status(of: name, in: directory).flatMap {
        unsuitable($0, in: directory.access)
      }
    } catch { return error.message }
  }

  private static func kindOfIrregular(_ status: stat) -> String? {
    switch status.st_mode & S_IFMT {
    case S_IFREG: nil
    case S_IFLNK: "a symbolic link"
    case S_IFDIR: "a directory"
    case S_IFIFO: "a FIFO"
    case S_IFSOCK: "a socket"
    default: "a device"
    }
  }

  private static func notATopicFile(_ name: String, _ reason: String) -> BusError {
    BusError(
      .incompatible, "\(quotedForError(name)) in the bus directory cannot be used: \(reason)",
      hint: "move it away")
  }
}
