import CShim
import Glibc

/// The lock by which a directory's users and its cleaner exclude each other: each ``FileBus`` holds
/// it shared, the cleaner exclusively. The kernel gives it back when a process dies, however it
/// dies.
enum FilePresence {
  static let name = ".filebus.lock"
  /// Cleaning is brief.
  private static let patienceNanoseconds: UInt64 = 1_000_000_000

  /// - Throws: `busy` while somebody cleans the directory.
  static func announce(in directory: OwnedDescriptor) throws(BusError) -> OwnedDescriptor {
    let deadline = conclave_monotonic_ns() + patienceNanoseconds
    while true {
      let file = try open(in: directory)
      switch file.lock(LOCK_SH | LOCK_NB) {
      case 0: return file
      case EWOULDBLOCK:
        guard conclave_monotonic_ns() < deadline else {
          throw BusError(
            .busy, "somebody is cleaning the bus directory", hint: "try again in a moment")
        }
        usleep(1000)
      case let code: throw .system("lock", name, errno: code)
      }
    }
  }

  /// The lock, so that nobody can begin to use the directory.
  ///
  /// - Throws: `busy` while somebody uses it.
  static func exclude(from directory: OwnedDescriptor, path: String) throws(BusError)
    -> OwnedDescriptor
  {
    let file = try open(in: directory)
    let code = file.lock(LOCK_EX | LOCK_NB)
    if code == 0 { return file }
    guard code == EWOULDBLOCK else { throw .system("lock", name, errno: code) }
    throw BusError(
      .busy, "a process is using the bus in \(quotedForError(path))",
      hint: "end it, then clean again")
  }

  private static func open(in directory: OwnedDescriptor) throws(BusError) -> OwnedDescriptor {
    try TopicFile.open(name, in: directory, flags: O_RDWR, create: true).descriptor
  }
}
