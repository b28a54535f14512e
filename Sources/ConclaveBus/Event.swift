import CShim

/// Something that threads of this process sleep on: the wake-up protocol of `conclave_wait.h` on a
/// word of its own. The classic event count: announce, look once more, sleep.
@safe
package final class Event: Sendable {
  private nonisolated(unsafe) let word: UnsafeMutablePointer<conclave_event>

  package init() {
    unsafe word = .allocate(capacity: 1)
    unsafe conclave_event_init(word)
  }

  deinit { unsafe word.deallocate() }

  /// Wakes every thread that sleeps or has announced that it will. One load when there is none.
  package func signal() { unsafe conclave_event_signal(word) }

  /// Announces a sleeper. Look for work after this and before ``wait(_:until:)``.
  package func prepareToWait() -> UInt32 { unsafe conclave_event_prepare(word) }

  /// Sleeps unless there was a signal since `ticket`. May return early.
  /// - Returns: false when the deadline passed.
  @discardableResult
  package func wait(_ ticket: UInt32, until deadline: ContinuousClock.Instant?) -> Bool {
    unsafe conclave_event_wait(word, ticket, monotonicNanoseconds(deadline)) == 0
  }
}

/// `deadline` as an absolute CLOCK_MONOTONIC time in nanoseconds; `UInt64.max` for never.
func monotonicNanoseconds(_ deadline: ContinuousClock.Instant?) -> UInt64 {
  guard let deadline else { return .max }
  let left = ContinuousClock.now.duration(to: deadline).nanoseconds
  return left <= 0 ? 0 : conclave_monotonic_ns().addingSaturating(UInt64(left))
}

extension Duration {
  /// The whole nanoseconds in this duration, saturated at the ends of Int64.
  var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return seconds < 0 ? .min : .max }
    let (sum, carried) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
    return carried ? (seconds < 0 ? .min : .max) : sum
  }
}

extension UInt64 {
  func addingSaturating(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
