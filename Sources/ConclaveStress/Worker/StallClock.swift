import CShim

/// Measures the longest time that a publisher stood still while it had messages to send: between
/// two moments of progress that lie ``interval`` messages apart, the first one being the common
/// start, so that who is not let begin stands still, too. Includes the time for those messages
/// themselves.
struct StallClock {
  /// Messages between two looks at the clock, which costs as much as two messages.
  static let interval = 64

  private(set) var longest: UInt64 = 0
  private(set) var last: UInt64

  init(start: UInt64) { last = start }

  /// There was progress.
  mutating func tick() {
    let now = conclave_monotonic_ns()
    longest = max(longest, now &- last)
    last = now
  }

  /// It had nothing to send until now.
  mutating func rest(until now: UInt64) { last = now }
}
