import CShim
import Glibc

/// Something that one thread says once and another waits for.
final class EventDescriptor: Sendable {
  private let number: Int32

  /// - Throws: when there are too many open files.
  init() throws(ToolError) {
    number = conclave_eventfd()
    guard number >= 0 else {
      throw ToolError(
        .resource, code: "exhausted", "cannot make an event descriptor: \(errorText(errno))")
    }
  }

  deinit { close(number) }

  func signal() {
    var one: UInt64 = 1
    _ = unsafe write(number, &one, 8)
  }

  func wait() {
    var request = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
    while unsafe poll(&request, 1, -1) != 1 {}
  }
}
