import CShim
import Glibc
import Synchronization

/// Wakes one thread, for good, that sleeps until a time, or with ``Input`` until there is something
/// to read.
final class Wakeup: Sendable {
  /// Becomes readable, and stays so.
  let descriptor: Int32
  private let signalled = Atomic(false)

  init() { descriptor = conclave_eventfd() }

  deinit { close(descriptor) }

  func signal() {
    signalled.store(true, ordering: .releasing)
    var one: UInt64 = 1
    _ = unsafe write(descriptor, &one, 8)
  }

  /// One load.
  var isSignalled: Bool { signalled.load(ordering: .acquiring) }

  /// Sleeps for so long, or until it is woken.
  ///
  /// - Returns: whether it was woken.
  func wait(_ duration: Duration) -> Bool {
    let end = ContinuousClock.now + duration
    while true {
      let left = (ContinuousClock.now.duration(to: end) / .milliseconds(1)).rounded(.up)
      var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      // In slices, since poll counts in 32 bits.
      if unsafe poll(&request, 1, Int32(min(max(0, left), 1e6))) == 1 { return true }
      if left <= 0 { return false }
    }
  }
}
