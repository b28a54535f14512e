import CShim
import Glibc
import Synchronization

/// Gives a topic's active file its number, after which nobody appends to it any more.
///
/// It is done with the lock that publishers take. Who gets the lock afterwards sees that the name
/// stands for another file, or for none, and opens that.
enum TopicRotation {
  /// Renames the active file, whose lock the caller holds, and whose lines are whole. The new name
  /// is not forced to the disk.
  ///
  /// - Returns: its number: one more than the greatest that there is.
  static func rename(
    _ topic: Topic, in directory: OwnedDescriptor
  ) throws(BusError) -> UInt64 {
    let active = TopicFileName(topic).text
    // Nobody else rotates this topic now; only a squatter could come in between, once or twice.
    for _ in 0..<100 {
      let greatest = try TopicHistory.numbers(of: topic, in: directory).last ?? 0
      guard greatest < TopicFileName.greatestNumber else {
        throw BusError(
          .exhausted, "the files of topic \(topic) have no number left",
          hint: "move \(TopicFileName(topic, number: greatest).text) away")
      }
      let name = TopicFileName(topic, number: greatest + 1).text
      if unsafe conclave_rename_new(directory.number, active, name) == 0 { return greatest + 1 }
      let code = errno
      guard code == EEXIST else { throw .system("rotate", active, errno: code) }
    }
    throw BusError(
      .busy, "somebody makes files with the names of \(quotedForError(active))",
      hint: "find out who")
  }

  /// Takes the lock of the topic's active file and rotates it, if it holds anything; forces file
  /// and name to the disk where the policy asks for syncs.
  ///
  /// - Parameter patience: how long to wait for the lock; nil for a moment only.
  /// - Returns: its number; nil when there was nothing to rotate, or the lock stayed taken.
  static func rotate(
    _ topic: Topic, _ shared: FileBusShared, patience: Duration?
  ) throws(BusError) -> UInt64? {
    let isDurable = shared.options.syncPolicy != .never
    let directory = shared.directory
    let number = try withLock(topic, in: directory, patience: patience) {
      (file, size) throws(BusError) -> UInt64? in
      let whole = try TornTail.lengthOfWholeLines(file, size: size)
      if whole < size {
        try TornTail.cut(file, to: whole)
        shared.tornTails.wrappingAdd(1, ordering: .relaxed)
      }
      guard whole > 0 else { return nil }
      if isDurable, fdatasync(file.number) != 0 {
        throw .system("sync", TopicFileName(topic).text)
      }
      return try rename(topic, in: directory)
    }
    guard let number = number ?? nil else { return nil }
    if isDurable, fsync(directory.number) != 0 {
      throw .system("sync", TopicFileName(topic, number: number).text)
    }
    return number
  }

  /// Calls `body` with the topic's active file and its length, while nobody can append or rotate.
  ///
  /// - Returns: nil when there is no active file, or its lock stayed taken.
  static func withLock<R>(
    _ topic: Topic, in directory: OwnedDescriptor, patience: Duration?,
    _ body: (OwnedDescriptor, UInt64) throws(BusError) -> R
  ) throws(BusError) -> R? {
    let name = TopicFileName(topic).text
    for _ in 0..<100 {
      let file: OwnedDescriptor
      let status: stat
      do throws(BusError) {
        (file, status) = try TopicFile.open(name, in: directory, flags: O_RDWR | O_APPEND)
      } catch {
        guard error.code == .notFound else { throw error }
        return nil
      }
      guard
        try FileLock.exclusive(
          file, wait: patience == nil ? .never : .blocking, patience: patience ?? .zero)
      else { return nil }
      defer { _ = file.lock(LOCK_UN) }
      guard let look = try TopicFile.look(at: name, in: directory) else { return nil }
      if look.identity == TopicFile.Identity(status) { return try body(file, look.size) }
    }
    return nil
  }
}
