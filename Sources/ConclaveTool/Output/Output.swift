import Glibc

/// Standard output was closed by its reader: not an error, but the end.
struct OutputClosed: Error {}

/// Bytes on their way to a file descriptor, sent when ``flush()`` is called or much has gathered.
///
/// Short writes are continued, a descriptor that somebody made non-blocking is waited for. Used by
/// one thread at a time.
final class Output {
  /// A writer that never pauses still flushes when this much has gathered.
  static let flushThreshold = 65_536

  private let descriptor: Int32
  /// What has not been written yet. Append here, then call ``flushIfLarge()``.
  var bytes: [UInt8] = []

  init(descriptor: Int32) { self.descriptor = descriptor }

  func write(_ text: String) throws {
    bytes.append(contentsOf: text.utf8)
    try flushIfLarge()
  }

  func flushIfLarge() throws {
    if bytes.count >= Output.flushThreshold { try flush() }
  }

  /// Sends everything.
  ///
  /// - Throws: ``OutputClosed``, or ``ToolError`` for any other failure, such as a full disk. What
  ///   was
  ///   not sent is dropped, so that a later flush does not send it out of place.
  func flush() throws {
    defer { bytes.removeAll(keepingCapacity: bytes.capacity <= 4 * Output.flushThreshold) }
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(descriptor, buffer.baseAddress?.advanced(by: sent), buffer.count - sent)
      }
      if count >= 0 {
        sent += count
        continue
      }
      switch errno {
      case EINTR: continue
      case EAGAIN: waitUntilWritable()
      case EPIPE: throw OutputClosed()
      case ENOSPC, EDQUOT:
        throw ToolError(
          .resource, code: "noSpace", "cannot write output: \(errorText(errno))",
          hint: "make room where it is written to")
      default:
        throw ToolError(.failure, code: "system", "cannot write output: \(errorText(errno))")
      }
    }
  }

  private func waitUntilWritable() {
    var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    _ = unsafe poll(&request, 1, -1)
  }
}

/// The system's words for an errno.
func errorText(_ number: Int32) -> String { unsafe String(cString: strerror(number)) }
