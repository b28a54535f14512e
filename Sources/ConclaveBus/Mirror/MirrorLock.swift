import CShim
import Glibc

/// The lock that makes one process the mirror of a bus directory: on a file in that directory,
/// which says for which segment, so that two buses never mix their messages in one directory. The
/// kernel gives the lock back when its holder dies, however it dies, and keeps it while it is
/// stopped.
final class MirrorLock: Sendable {
  static let name = ".mirror.lock"

  private let file: OwnedDescriptor
  private let directory: String
  /// The segment's file.
  private let segment: String

  /// What the file says.
  struct Holder: Equatable {
    var process: String
    var segment: String
  }

  /// - Throws: `permissionDenied` when the directory cannot be written; `incompatible`, `system`.
  init(in directory: BusDirectory, segment: String) throws(BusError) {
    let descriptor = try directory.open()
    file = try TopicFile.open(
      Self.name, in: descriptor, flags: O_RDWR, create: true, holdsLock: true
    ).descriptor
    self.directory = directory.path
    self.segment = segment
  }

  /// - Returns: whether the lock was free; not when a mirror of the same segment has it.
  /// - Throws: `busy` when the mirror of another segment has it; `noSpace`, `system`.
  func tryTake() throws(BusError) -> Bool {
    // Who has just taken the lock has not said yet who it is.
    for attempt in 0..<50 {
      let failure = conclave_lock_try(file.number, 0, 1)
      if failure == 0 {
        try announce()
        return true
      }
      guard failure == EAGAIN else { throw .system("lock", Self.name, errno: failure) }
      if try holder()?.segment == segment { return false }
      if attempt < 49 { usleep(2000) }
    }
    throw refusal(try holder())
  }

  /// Blocks until this process has the lock.
  func take() throws(BusError) {
    let failure = conclave_lock_wait(file.number, 0, 1)
    guard failure == 0 else { throw .system("lock", Self.name, errno: failure) }
    do throws(BusError) { try announce() } catch {
      giveBack()
      throw error
    }
  }

  func giveBack() { file.releaseBytes(0, 1) }

  /// In one write of less than a page, which is all or nothing to those who read it.
  private func announce() throws(BusError) {
    let line = Array("\(getpid()) \(segment)\n".utf8)
    guard unsafe pwrite(file.number, line, line.count, 0) == line.count,
      ftruncate(file.number, off_t(line.count)) == 0
    else {
      let error = BusError.system("write to", Self.name)
      giveBack()
      throw error
    }
  }

  /// What the lock's file in a bus directory says, whether its writer lives or not; nil also when
  /// there is none, or it cannot be read.
  static func holder(in directory: OwnedDescriptor) -> Holder? {
    let opened = try? TopicFile.open(name, in: directory, flags: O_RDONLY)
    return opened.flatMap { try? read($0.descriptor) }
  }

  /// The same, but nil also when nobody has the lock.
  static func living(in directory: OwnedDescriptor) -> Holder? {
    guard let file = try? TopicFile.open(name, in: directory, flags: O_RDONLY).descriptor,
      conclave_lock_held(file.number, 0, 1) == 1
    else { return nil }
    return try? read(file)
  }

  private func holder() throws(BusError) -> Holder? { try MirrorLock.read(file) }

  private static func read(_ file: OwnedDescriptor) throws(BusError) -> Holder? {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = unsafe pread(file.number, &bytes, bytes.count, 0)
    guard count >= 0 else { throw .system("read", name) }
    guard let end = bytes[..<count].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    let words = String(decoding: bytes[..<end], as: UTF8.self)
      .split(separator: " ", maxSplits: 1).map(String.init)
    return words.count == 2 ? Holder(process: words[0], segment: words[1]) : nil
  }

  private func refusal(_ holder: Holder?) -> BusError {
    let who = holder.map { "process \($0.process), with the segment \($0.segment)," }
    return BusError(
      .busy, "\(who ?? "somebody") mirrors another bus into \(quotedForError(directory))",
      hint: "end it first, or use another bus directory; this one's segment is \(segment)")
  }
}
