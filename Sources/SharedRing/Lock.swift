import CShim
public import Synchronization

/// A lock around a value, for threads of one process; unfair, and so without convoys.
///
/// Like `Mutex` of the standard library, which on Linux is a priority-inheriting futex that hands
/// the lock over to the next sleeper: with many threads each turn then costs a context switch (50
/// threads publishing on one bus: 55 us a message). Here whoever is running takes a free lock,
/// sleepers or not: the third mutex of Ulrich Drepper's "Futexes Are Tricky" (2011). Being made of
/// this module's own atomics it is also visible to ThreadSanitizer, as the standard library's slow
/// path is not.
///
/// Public, and compiled into its callers, because the hot paths that use it are.
@safe
public struct Lock<Value: ~Copyable>: ~Copyable, Sendable {
  /// 0 free, 1 held, 2 held and perhaps slept for. Acquired by an exchange from 0 (acquire),
  /// released by an exchange to 0 (release): these two are a pair.
  @usableFromInline
  nonisolated(unsafe) let state: UnsafeMutablePointer<Atomic<UInt32>>
  /// Touched by the holder alone.
  @usableFromInline
  nonisolated(unsafe) let value: UnsafeMutablePointer<Value>

  public init(_ value: consuming sending Value) {
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: Atomic(0))
    unsafe self.value = .allocate(capacity: 1)
    unsafe self.value.initialize(to: value)
  }

  deinit {
    unsafe value.deinitialize(count: 1)
    unsafe value.deallocate()
    unsafe state.deinitialize(count: 1)
    unsafe state.deallocate()
  }

  /// Runs `body` with the lock; blocks the calling thread while another has it. Not recursive.
  @inlinable
  public borrowing func withLock<R: ~Copyable, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending R
  ) throws(Failure) -> sending R {
    acquire()
    defer { release() }
    return try unsafe body(&value.pointee)
  }

  /// As ``withLock(_:)``, but returns nil at once while another thread has the lock.
  @inlinable
  public borrowing func withLockIfAvailable<R: ~Copyable, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending R
  ) throws(Failure) -> sending R? {
    guard tryAcquire() else { return nil }
    defer { release() }
    return try unsafe body(&value.pointee)
  }

  @inlinable @inline(__always)
  borrowing func acquire() {
    if !tryAcquire() { acquireSlowly() }
  }

  @inlinable @inline(__always)
  borrowing func tryAcquire() -> Bool {
    unsafe state.pointee.compareExchange(
      expected: 0, desired: 1, successOrdering: .acquiring, failureOrdering: .relaxed
    ).exchanged
  }

  @inlinable @inline(__always)
  borrowing func release() {
    if unsafe state.pointee.exchange(0, ordering: .releasing) == 2 { wakeOne() }
  }

  @usableFromInline
  borrowing func acquireSlowly() {
    while unsafe state.pointee.exchange(2, ordering: .acquiring) != 0 {
      unsafe conclave_word_wait(state, 2)
    }
  }

  @usableFromInline
  borrowing func wakeOne() { unsafe conclave_word_wake_one(state) }
}
