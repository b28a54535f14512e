import CShim
import Glibc

/// The lock under which sessions of one archive begin and end, one at a time: on the archive's
/// folder. It is held briefly, not for a session's life.
///
/// The directories' own locks alone would do for them to be right. With this one, who is told that
/// a directory is taken is told by whom, and what is being moved aside is not taken for taken.
enum SessionGate {
  /// - Throws: `busy` when somebody has kept it for all of `patience`; what opening a private
  ///   folder throws.
  static func enter(_ archive: String, patience: Duration) throws(BusError) -> OwnedDescriptor {
    let deadline = conclave_monotonic_ns().addingSaturating(patience.nanosecondsSaturated)
    while true {
      let folder = try open(archive)
      switch folder.lock(LOCK_EX | LOCK_NB) {
      case 0:
        if isNamed(folder, archive) { return folder }
        continue
      case EWOULDBLOCK: break
      case let code: throw .system("lock", archive, errno: code)
      }
      guard conclave_monotonic_ns() < deadline else {
        throw BusError(
          .busy,
          "another session has been beginning or ending beside \(quotedForError(archive)) for "
            + "\(patience)",
          hint: "it may be stopped: let it go on (kill -CONT) or end it, then try again")
      }
      usleep(1000)
    }
  }

  /// Whether it is still what bears the name: somebody may have removed an empty archive.
  private static func isNamed(_ folder: OwnedDescriptor, _ path: String) -> Bool {
    var (named, opened) = (stat(), stat())
    guard unsafe lstat(path, &named) == 0, unsafe fstat(folder.number, &opened) == 0 else {
      return false
    }
    return TopicFile.Identity(named) == TopicFile.Identity(opened)
  }

  private static func open(_ archive: String) throws(BusError) -> OwnedDescriptor {
    guard let name = archive.split(separator: "/").last.map(String.init),
      let above = parent(of: archive)
    else {
      throw BusError(
        .invalidName, "\(quotedForError(archive)) cannot be an archive", hint: "name a directory")
    }
    HiddenFolder.make(above: archive)
    let number = offStandard(unsafe Glibc.open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
    guard number >= 0 else { throw .system("open", above) }
    return try PrivateFolder.open(name, in: OwnedDescriptor(number))
  }
}
