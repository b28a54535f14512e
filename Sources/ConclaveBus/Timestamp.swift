/// A moment in nanoseconds since the epoch (UTC, without leap seconds), written as RFC 3339.
public struct Timestamp: Hashable, Comparable, Sendable {
  public let nanosecondsSinceEpoch: UInt64

  public init(nanosecondsSinceEpoch: UInt64) {
    self.nanosecondsSinceEpoch = nanosecondsSinceEpoch
  }

  public static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.nanosecondsSinceEpoch < right.nanosecondsSinceEpoch
  }
}
