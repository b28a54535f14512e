import CShim
import Glibc

/// Takes the exclusive lock on a topic file.
///
/// The lock is held for two or three microseconds at a time, and both giving the processor away and
/// going to sleep cost more than that. So a publisher first tries for as long as a holder that runs
/// needs. If that does not help, the holder is likely to be waiting for this very processor: it is
/// given away a few times. Only then is the lock worth sleeping for, not in `flock` but by the
/// clock: who sleeps there waits for a stopped holder for ever.
enum FileLock {
  /// How long to try before giving the processor away: a little longer than the lock is usually
  /// held. With twice as much, two publishers on two processors take turns until their time slices
  /// end, and the others wait all the while.
  private static let eagernessNanoseconds: UInt64 = 4_000
  /// How often to give the processor away before sleeping. Each time costs the publisher a time
  /// slice in the scheduler's books: with many more it stands still for as much as a second
  /// afterwards, until the others have had theirs.
  private static let yields = 8
  /// How long a publisher that must not block keeps trying.
  private static let briefNanoseconds: UInt64 = 2_000_000
  /// The shortest and the longest sleep between two attempts.
  private static let naps: (shortest: UInt64, longest: UInt64) = (50_000, 1_000_000)

  /// - Parameter patience: how long to wait with ``PublishWait/blocking``.
  /// - Returns: whether the lock was taken; false only with ``PublishWait/never``.
  /// - Throws: `busy` when somebody has kept the lock for all of `patience`; `system`.
  static func exclusive(
    _ file: OwnedDescriptor, wait: PublishWait, patience: Duration
  ) throws(BusError) -> Bool {
    if try attempt(file, LOCK_EX | LOCK_NB) { return true }
    let eager = conclave_monotonic_ns() + eagernessNanoseconds
    repeat {
      if try attempt(file, LOCK_EX | LOCK_NB) { return true }
    } while conclave_monotonic_ns() < eager
    for _ in 0..<yields {
      sched_yield()
      if try attempt(file, LOCK_EX | LOCK_NB) { return true }
    }
    switch wait {
    case .blocking:
      try sleepFor(file, patience)
      return true
    case .never:
      let deadline = conclave_monotonic_ns() + briefNanoseconds
      repeat {
        sched_yield()
        if try attempt(file, LOCK_EX | LOCK_NB) { return true }
      } while conclave_monotonic_ns() < deadline
      return false
    }
  }

  private static func sleepFor(
    _ file: OwnedDescriptor, _ patience: Duration
  ) throws(BusError) {
    let deadline = monotonicNanoseconds(ContinuousClock.now.advanced(by: patience))
    var nap = naps.shortest
    while true {
      let now = conclave_monotonic_ns()
      if try attempt(file, LOCK_EX | LOCK_NB) { return }
      guard now < deadline else { throw FileLockHolder.busy(file, patience) }
      conclave_pace_until(min(deadline, now + nap))
      nap = min(nap * 2, naps.longest)
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
