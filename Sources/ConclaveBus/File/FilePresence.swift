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
  /// - Parameter directory: what `descriptor` has open.
  /// - Throws: `busy` while somebody uses it, naming who does as far as can be seen.
  static func exclude(
    from descriptor: OwnedDescriptor, _ directory: BusDirectory
  ) throws(BusError) -> OwnedDescriptor {
    let file = try open(in: descriptor)
    let deadline = conclave_monotonic_ns() + patienceNanoseconds
    while true {
      let code = file.lock(LOCK_EX | LOCK_NB)
      if code == 0 { return file }
      guard code == EWOULDBLOCK else { throw .system("lock", name, errno: code) }
      // A lock outlives who had it for a moment in a process that is being started or is ending.
      let isHeld = !FileBus.participants(of: directory).isEmpty
      guard !isHeld, conclave_monotonic_ns() < deadline else { throw inUse(directory) }
      usleep(1000)
    }
  }

  private static func inUse(_ directory: BusDirectory) -> BusError {
    let processes = FileBus.participants(of: directory)
    let others = processes.count > 10 ? " and \(processes.count - 10) more" : ""
    let names = processes.prefix(10).map(String.init).joined(separator: ", ") + others
    return BusError(
      .busy, "somebody is using the files of the bus in \(quotedForError(directory.path))",
      hint: processes.isEmpty
        ? "end whoever it is, then clean again" : "end them first: process \(names)")
  }

  private static func open(in directory: OwnedDescriptor) throws(BusError) -> OwnedDescriptor {
    try TopicFile.open(name, in: directory, flags: O_RDWR, create: true, holdsLock: true)
      .descriptor
  }
}
