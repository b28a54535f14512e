import Glibc

/// A file descriptor that is closed when nobody needs it any more.
final class OwnedDescriptor: Sendable {
  let number: Int32

  init(_ number: Int32) { self.number = number }

  deinit { close(number) }

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
