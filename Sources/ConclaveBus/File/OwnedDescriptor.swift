import CShim
import Glibc

/// A file descriptor that is closed when nobody needs it any more.
final class OwnedDescriptor: Sendable {
  let number: Int32
  /// Of a folder: who takes part in the bus, and so whose its files are.
  let access: BusAccess
  private let mark = ProcessMark()
  /// Whether a child that is forked closes it.
  private let isGuarded: Bool

  /// - Parameter holdsLock: whether it will hold a lock for long: then it does not live on in a
  ///   child that is forked, and neither does the lock.
  init(_ number: Int32, holdsLock: Bool = false, access: BusAccess = .user) {
    self.number = number
    self.access = access
    isGuarded = holdsLock
    if holdsLock { conclave_descriptor_guard(number) }
  }

  deinit {
    if isGuarded { conclave_descriptor_end(number, mark.isForked ? 0 : 1) } else { close(number) }
  }

  /// Gives back an open-file-description lock. Explicit, because closing alone would leave it with
  /// a child that is between fork and exec; but not in a child, whose parent has it.
  func releaseBytes(_ start: Int64, _ count: Int64) {
    if !mark.isForked { _ = conclave_lock_release(number, start, count) }
  }

  /// Gives back an flock: likewise.
  func unlock() { if !mark.isForked { _ = lock(LOCK_UN) } }

  /// Takes or gives back an flock, restarting after signals. Blocks unless `operation` has
  /// `LOCK_NB`.
  ///
  /// - Returns: 0 or an errno; `EWOULDBLOCK` when somebody else holds it.
  func lock(_ operation: Int32) -> Int32 {
    while flock(number, operation) != 0 {
      let code = errno
      if code != EINTR { return code }
    }
    return 0
  }
}
