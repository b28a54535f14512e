/// For how long, and for how many, idempotency keys a bus remembers. Whichever ends first forgets
/// the key; the oldest are forgotten first.
public struct IdempotencyOptions: Hashable, Sendable {
  /// How long a key is remembered, from when its publish began.
  public var window: Duration
  /// How many keys are remembered, of all topics together, at least 1. Where several processes
  /// share a bus, the one that first used a key has decided.
  public var capacity: Int

  public init(window: Duration = .seconds(600), capacity: Int = 100_000) {
    self.window = window
    self.capacity = capacity
  }

  /// 64 bytes a key and more in the file: beyond this it would not be an index any more.
  static let greatestCapacity = 100_000_000

  /// The capacity within the bounds that an index can have.
  var boundedCapacity: Int { min(max(capacity, 1), Self.greatestCapacity) }

  /// The window in nanoseconds; nothing when it is negative.
  var windowNanoseconds: UInt64 {
    let (seconds, attoseconds) = window.components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? .max : whole.addingSaturating(UInt64(attoseconds / 1_000_000_000))
  }
}
