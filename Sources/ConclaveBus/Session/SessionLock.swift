import CShim
import Glibc

/// The lock that makes a bus directory one session's: on its file `.pid`, which says whose. The
/// kernel gives the lock back when its holder dies, however it dies.
///
/// The file is made where there is none and is only written under the lock, so who is killed in
/// between leaves an empty one, which means the same as none.
final class SessionLock: Sendable {
  static let name = ".pid"

  enum Attempt {
    /// The lock was free. The file says that nobody, or somebody dead, had it.
    case taken(SessionLock, Record)
    case held(SessionOwner?)
    /// Another file bears the name now: try again.
    case replaced
  }

  /// What the file says.
  enum Record: Hashable {
    case empty
    case owner(SessionOwner)
    /// Something that no session wrote.
    case unreadable
  }

  private let file: OwnedDescriptor

  private init(_ file: OwnedDescriptor) { self.file = file }

  /// - Throws: `incompatible` when something else bears the name; `permissionDenied`, `noSpace`,
  ///   `exhausted`, `system`.
  static func take(in directory: OwnedDescriptor) throws(BusError) -> Attempt {
    let (file, status) = try TopicFile.open(
      name, in: directory, flags: O_RDWR, create: true, holdsLock: true)
    switch conclave_lock_try(file.number, 0, 1) {
    case 0: break
    case EAGAIN: return .held(try patientOwner(file))
    case let code: throw .system("lock", name, errno: code)
    }
    let lock = SessionLock(file)
    guard try TopicFile.look(at: name, in: directory)?.identity == TopicFile.Identity(status) else {
      lock.release()
      return .replaced
    }
    return .taken(lock, try record(file))
  }

  /// Says that this process has the directory from now on.
  ///
  /// - Throws: `noSpace`, `system`; then the file says what it said of nobody: nothing.
  func announce(_ owner: SessionOwner) throws(BusError) {
    let text = Array(owner.text.utf8)
    // Emptied first: no mixture of two, should this process be killed now.
    guard ftruncate(file.number, 0) == 0 else { throw .system("write to", SessionLock.name) }
    let written = unsafe pwrite(file.number, text, text.count, 0)
    guard written == text.count else {
      let error = BusError.system(
        "write to", SessionLock.name, errno: written >= 0 ? ENOSPC : errno)
      _ = ftruncate(file.number, 0)
      throw error
    }
  }

  func release() { file.releaseBytes(0, 1) }

  // MARK: Looking from outside

  /// What a directory's file says, and whether somebody has its lock; nil where there is none.
  static func look(in directory: OwnedDescriptor) throws(BusError) -> (Record, isHeld: Bool)? {
    let file: OwnedDescriptor
    do throws(BusError) {
      file = try TopicFile.open(name, in: directory, flags: O_RDONLY).descriptor
    } catch {
      if error.code == .notFound { return nil }
      throw error
    }
    let held = conclave_lock_held(file.number, 0, 1)
    guard held >= 0 else { throw .system("look at the lock of", name, errno: -held) }
    if held == 1, let owner = try patientOwner(file) { return (.owner(owner), true) }
    return (try record(file), held == 1)
  }

  /// Who has just taken the lock has not said yet who it is.
  private static func patientOwner(_ file: OwnedDescriptor) throws(BusError) -> SessionOwner? {
    for _ in 0..<50 {
      if case .owner(let owner) = try record(file) { return owner }
      usleep(2000)
    }
    return nil
  }

  private static func record(_ file: OwnedDescriptor) throws(BusError) -> Record {
    var bytes = [UInt8](repeating: 0, count: SessionOwner.textLimit)
    let count = unsafe pread(file.number, &bytes, bytes.count, 0)
    guard count >= 0 else { throw .system("read", name) }
    if count == 0 { return .empty }
    guard let text = String(validating: bytes.prefix(count), as: UTF8.self) else {
      return .unreadable
    }
    return SessionOwner(text: text).map { .owner($0) } ?? .unreadable
  }
}
