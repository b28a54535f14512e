import CShim
import Glibc

extension SessionArchive {
  /// Moves a bus directory into the archive, at one stroke, and returns where it is. Whoever calls
  /// has the directory's lock and has passed the gate.
  ///
  /// - Throws: `permissionDenied`, `incompatible`, `system` when it cannot be moved; then it is
  ///   where it was.
  func take(_ directory: BusDirectory, of session: SessionName) throws(BusError) -> String {
    let folder = try makeFolder(session)
    defer { _ = unsafe rmdir(folder) }
    let own = directory.path.split(separator: "/").last.map(String.init) ?? "bus"
    for number in 1...SessionArchive.namesake {
      let target = joined(folder, number == 1 ? own : "\(own)-\(number)")
      guard SessionArchive.rename(directory.path, target) != 0 else { return target }
      let code = errno
      guard [EEXIST, ENOTEMPTY].contains(code) else { throw immovable(directory, code) }
    }
    throw immovable(directory, EEXIST)
  }

  /// Whether a directory lies where it can be moved from; said before anything is changed.
  func checkMovable(_ directory: BusDirectory) throws(BusError) {
    var (archive, above) = (stat(), stat())
    guard unsafe lstat(path, &archive) == 0 else { throw .system("look at", path) }
    if UInt64(archive.st_dev) != directory.device { throw immovable(directory, EXDEV) }
    let parent = parent(of: directory.path) ?? "/"
    guard unsafe stat(parent, &above) == 0 else { throw .system("look at", parent) }
    if UInt64(above.st_dev) != directory.device { throw immovable(directory, EBUSY) }
    guard unsafe faccessat(AT_FDCWD, parent, W_OK | X_OK, AT_EACCESS) == 0 else {
      throw immovable(directory, errno)
    }
  }

  /// Removes all but the `count` newest sessions, as far as that can be done: what others have put
  /// there stays, and what somebody reads just now stays until the next time. Whoever calls has
  /// passed the gate.
  func prune(keeping count: Int) throws(BusError) {
    for session in try sessions().dropFirst(max(0, count)) {
      for bus in session.buses {
        guard let directory = try? BusDirectory(opening: bus.path, create: false) else { continue }
        _ = try? SessionRemoval.remove(directory)
      }
      _ = unsafe rmdir(session.path)
    }
  }

  /// How often a session can leave a directory of one name.
  private static let namesake = 1000

  /// 0, or -1 and errno: EEXIST when there is something.
  private static func rename(_ source: String, _ target: String) -> Int32 {
    if unsafe conclave_rename_new(AT_FDCWD, source, target) == 0 { return 0 }
    // Some file systems cannot refuse to replace; but a directory replaces only an empty one.
    guard errno == EINVAL || errno == ENOSYS else { return -1 }
    return unsafe Glibc.rename(source, target)
  }

  private func makeFolder(_ session: SessionName) throws(BusError) -> String {
    let number = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard number >= 0 else { throw .system("open", path) }
    _ = try PrivateFolder.open(session.text, in: OwnedDescriptor(offStandard(number)))
    return joined(path, session.text)
  }

  private func immovable(_ directory: BusDirectory, _ code: Int32) -> BusError {
    let error = BusError.system("move", directory.path, errno: code)
    return BusError(
      error.code, "\(error.message) (to \(quotedForError(path)))",
      hint: code == EXDEV || code == EBUSY
        ? "name an archive on its file system, or have the directory purged"
        : "make both directories writable, or have the directory purged")
  }
}
