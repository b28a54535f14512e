/// Counts times in nanoseconds in buckets that are linear within a power of two, as HdrHistogram
/// does (Gil Tene): three significant digits from a nanosecond to a quarter of an hour, at the
/// price of one increment.
package struct LatencyHistogram: Equatable, Sendable {
  /// Buckets per power of two; each is at most a thousandth wide.
  private static let linear = 1024
  /// Greater values count as this one.
  private static let limit: UInt64 = 1 << 40 - 1
  private static let bucketCount = bucket(of: limit) + 1

  private var counts = [UInt64](repeating: 0, count: LatencyHistogram.bucketCount)
  package private(set) var total: UInt64 = 0
  /// The greatest value itself, not its bucket's.
  package private(set) var maximum: UInt64 = 0

  package init() {}

  package mutating func record(_ nanoseconds: UInt64) {
    counts[LatencyHistogram.bucket(of: min(nanoseconds, LatencyHistogram.limit))] += 1
    total += 1
    maximum = max(maximum, nanoseconds)
  }

  package mutating func merge(_ other: LatencyHistogram) {
    for index in counts.indices { counts[index] += other.counts[index] }
    total += other.total
    maximum = max(maximum, other.maximum)
  }

  /// The value that this share of all values does not exceed, rounded up to the end of its bucket;
  /// 0 when there are none.
  package func percentile(_ share: Double) -> UInt64 {
    let wanted = max(1, UInt64((share * Double(total)).rounded(.up)))
    var seen: UInt64 = 0
    for (index, count) in counts.enumerated() {
      seen += count
      if seen >= wanted { return min(LatencyHistogram.end(of: index), maximum) }
    }
    return maximum
  }

  private static func bucket(of value: UInt64) -> Int {
    let shift = max(0, 64 - 11 - value.leadingZeroBitCount)
    return shift * linear + Int(value >> UInt64(shift))
  }

  /// The greatest value that falls into the bucket.
  private static func end(of bucket: Int) -> UInt64 {
    let shift = max(0, bucket / linear - 1)
    return (UInt64(bucket - shift * linear) + 1) << UInt64(shift) - 1
  }
}

extension LatencyHistogram {
  /// `maximum;bucket:count,...` without the empty buckets: how a worker hands its times on.
  var text: String {
    let filled = counts.enumerated().filter { $0.element > 0 }
    return "\(maximum);" + filled.map { "\($0.offset):\($0.element)" }.joined(separator: ",")
  }

  /// What ``text`` says, or nil.
  init?(text: some StringProtocol) {
    let parts = text.split(separator: ";", omittingEmptySubsequences: false)
    guard parts.count == 2, let maximum = UInt64(parts[0]) else { return nil }
    self.maximum = maximum
    for entry in parts[1].split(separator: ",") {
      let numbers = entry.split(separator: ":")
      guard numbers.count == 2, let bucket = Int(numbers[0]), counts.indices.contains(bucket),
        let count = UInt64(numbers[1])
      else { return nil }
      counts[bucket] += count
      total += count
    }
  }
}
