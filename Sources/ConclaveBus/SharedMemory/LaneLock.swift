import Glibc
import SharedRing
import Synchronization

/// The lock of a lane: held for some nanoseconds by who publishes, or for long by the one who waits
/// for room; the others must be able to tell which, since waiting for the latter would be waiting
/// for room.
///
/// One atomic exchange and one store a publish, where a mutex takes two exchanges.
@safe
final class LaneLock<Value: ~Copyable & Sendable>: Sendable {
  private static var free: UInt32 { 0 }
  private static var held: UInt32 { 1 }
  private static var heldForLong: UInt32 { 2 }

  /// Acquired by an exchange from `free`, released by a store of `free`: these two are a pair, and
  /// so the one who holds it sees what the one before did to `value`.
  private let state = Atomic<UInt32>(LaneLock.free)
  /// Those who want to wait for room, one at a time.
  private let waiters = Lock<Void>(())
  /// Touched by the holder of `state` alone.
  private nonisolated(unsafe) let value: UnsafeMutablePointer<Value>

  init(_ value: consuming Value) {
    unsafe self.value = .allocate(capacity: 1)
    unsafe self.value.initialize(to: value)
  }

  deinit {
    unsafe value.deinitialize(count: 1)
    unsafe value.deallocate()
  }

  /// Runs `body`, which must be brief, with the lock; nil at once while somebody holds it for long.
  @inline(__always)
  func withLock<R, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> R
  ) throws(Failure) -> R? {
    guard acquire(LaneLock.held) else { return nil }
    defer { state.store(LaneLock.free, ordering: .releasing) }
    return try unsafe body(&value.pointee)
  }

  /// Runs `body`, which may sleep, with the lock. Blocks the calling thread while others do the
  /// same.
  func withLockWaiting<R, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> R
  ) throws(Failure) -> R {
    try waiters.withLock { (_) throws(Failure) in
      // Nobody else can hold it for long now.
      while !acquire(LaneLock.heldForLong) { sched_yield() }
      defer { state.store(LaneLock.free, ordering: .releasing) }
      return try unsafe body(&value.pointee)
    }
  }

  /// As ``withLockWaiting(_:)``, or returns nil at once while others do the same.
  func withLockWaitingIfAvailable<R, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> R
  ) throws(Failure) -> R? {
    try waiters.withLockIfAvailable { (_) throws(Failure) in
      while !acquire(LaneLock.heldForLong) { sched_yield() }
      defer { state.store(LaneLock.free, ordering: .releasing) }
      return try unsafe body(&value.pointee)
    }
  }

  @inline(__always)
  private func acquire(_ wanted: UInt32) -> Bool {
    while true {
      let (exchanged, seen) = state.weakCompareExchange(
        expected: LaneLock.free, desired: wanted, successOrdering: .acquiring,
        failureOrdering: .relaxed)
      if exchanged { return true }
      if seen == LaneLock.heldForLong { return false }
      if seen == LaneLock.held { sched_yield() }
    }
  }
}
