import CShim
import Glibc

/// Ctrl-C, as something to look for: whoever notices it cleans up on the way out.
struct Interruption {
  struct Interrupted: Error {
    /// SIGINT or SIGTERM.
    let signal: Int32
  }

  /// Readable once a signal has come.
  let descriptor: Int32

  /// Call before other threads start.
  init() throws {
    descriptor = conclave_signals_open()
    guard descriptor >= 0 else {
      throw BenchmarkFailure("cannot watch for signals: \(systemText(-descriptor))")
    }
  }

  /// - Throws: ``Interrupted``.
  func check() throws { try wait(milliseconds: 0) }

  /// Sleeps for so long.
  ///
  /// - Throws: ``Interrupted``.
  func wait(milliseconds: Int32) throws { _ = try wait(for: nil, milliseconds: milliseconds) }

  /// Waits until `other` is readable or at its end, or for so long (-1: as long as it takes).
  ///
  /// - Returns: whether it is.
  /// - Throws: ``Interrupted``.
  func wait(for other: Int32?, milliseconds: Int32) throws -> Bool {
    var watched = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
    if let other { watched.append(pollfd(fd: other, events: Int16(POLLIN), revents: 0)) }
    let count = unsafe poll(&watched, nfds_t(watched.count), milliseconds)
    if count > 0, watched[0].revents != 0 { throw interrupted }
    return count > 0
  }

  /// What came. Reads it, so ask once.
  var interrupted: Interrupted { Interrupted(signal: conclave_signals_read(descriptor)) }
}
