import CShim
import Glibc
import SharedRing

/// Locks on numbers, for instance one a bucket: between processes by locks on bytes of the index,
/// which the kernel gives back however a process dies, and between the threads of this one, which
/// share the open file and with it those locks, by a set of what is taken.
final class KeyLocks: Sendable {
  /// The number of the lock under which the index is made, and of the one of its counter.
  static let making: Int64 = -1
  static let counting: Int64 = -2

  /// Far behind the end of the index, where no data lie.
  private static let base: Int64 = 1 << 48
  /// As ``FileLock`` does it: as long as a holder that runs needs, then the processor given away,
  /// then sleep by the clock.
  private static let eagerNanoseconds: UInt64 = 4_000
  private static let yields = 8
  private static let briefNanoseconds: UInt64 = 2_000_000
  private static let naps: (shortest: UInt64, longest: UInt64) = (50_000, 1_000_000)

  private let file: OwnedDescriptor
  private let patience: Duration
  private let use: Use
  private let taken = Lock<Set<Int64>>([])

  /// What the locks are for, as errors say it.
  struct Use: Sendable {
    /// What is locked.
    var what: String
    /// Who keeps it, and what to do.
    var holder: String
    var advice: String

    static let keys = Use(
      what: "the idempotency keys",
      holder: "somebody else has been publishing with this idempotency key",
      advice: "it may wait for a subscriber, or be stopped: let it go on (kill -CONT) or end it, "
        + "then publish again")
  }

  init(_ file: OwnedDescriptor, patience: Duration, use: Use) {
    self.file = file
    self.patience = patience
    self.use = use
  }

  /// Takes the lock `number`.
  ///
  /// - Returns: false only with ``PublishWait/never``.
  /// - Throws: `busy` when somebody has kept it for all of the patience; `system`.
  func acquire(_ number: Int64, wait: PublishWait) throws(BusError) -> Bool {
    if try attempt(number) { return true }
    let start = conclave_monotonic_ns()
    repeat {
      if try attempt(number) { return true }
    } while conclave_monotonic_ns() - start < Self.eagerNanoseconds
    for _ in 0..<Self.yields {
      sched_yield()
      if try attempt(number) { return true }
    }
    if wait == .never { return try tryBriefly(number, since: start) }
    try sleepFor(number)
    return true
  }

  func release(_ number: Int64) {
    // Explicit, and of no interest if it fails: the descriptor's end frees it as well.
    file.releaseBytes(Self.base + number, 1)
    taken.withLock { _ = $0.remove(number) }
  }

  private func tryBriefly(_ number: Int64, since start: UInt64) throws(BusError) -> Bool {
    repeat {
      sched_yield()
      if try attempt(number) { return true }
    } while conclave_monotonic_ns() - start < Self.briefNanoseconds
    return false
  }

  private func sleepFor(_ number: Int64) throws(BusError) {
    let deadline = monotonicNanoseconds(ContinuousClock.now.advanced(by: patience))
    var nap = Self.naps.shortest
    while true {
      let now = conclave_monotonic_ns()
      if try attempt(number) { return }
      guard now < deadline else { throw busy }
      conclave_pace_until(min(deadline, now + nap))
      nap = min(nap * 2, Self.naps.longest)
    }
  }

  private func attempt(_ number: Int64) throws(BusError) -> Bool {
    guard taken.withLock({ $0.insert(number).inserted }) else { return false }
    let code = conclave_lock_try(file.number, Self.base + number, 1)
    if code == 0 { return true }
    taken.withLock { _ = $0.remove(number) }
    guard code == EAGAIN else { throw .system("lock", use.what, errno: code) }
    return false
  }

  private var busy: BusError {
    BusError(.busy, "\(use.holder) for \(patience)", hint: use.advice)
  }
}
