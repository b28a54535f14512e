import CShim
import Glibc

/// Takes the exclusive lock on a topic file.
///
/// The lock is held for about a microsecond at a time, and going to sleep for it costs more than
/// that: with many publishers on few processors it is better to give the processor away a few
/// times. Only a lock that stays taken (its holder was stopped) is worth sleeping for.
enum FileLock {
  /// How often to give the processor away before sleeping.
  private static let yields = 256
  /// How long a publisher that must not block keeps trying.
  private static let patienceNanoseconds: UInt64 = 2_000_000

  /// - Returns: whether the lock was taken; false only with ``PublishWait/never``.
  /// - Throws: `system`.
  static func exclusive(_ file: OwnedDescriptor, wait: PublishWait) throws(BusError) -> Bool {
    if try attempt(file, LOCK_EX | LOCK_NB) { return true }
    for _ in 0..<yields {
      sched_yield()
      if try attempt(file, LOCK_EX | LOCK_NB) { return true }
    }
    switch wait {
    case .blocking: return try attempt(file, LOCK_EX)
    case .never:
      let deadline = conclave_monotonic_ns() + patienceNanoseconds
      repeat {
        sched_yield()
        if try attempt(file, LOCK_EX | LOCK_NB) { return true }
      } while conclave_monotonic_ns() < deadline
      return false
    }
  }

  private static func attempt(
    _ file: OwnedDescriptor, _ operation: Int32
  ) throws(BusError) -> Bool {
    let code = file.lock(operation)
    if code == 0 { return true }
    guard code == EWOULDBLOCK else { throw .system("lock", "a topic file", errno: code) }
    return false
  }
}
