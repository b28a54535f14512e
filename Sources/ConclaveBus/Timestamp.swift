import CShim

/// A moment in nanoseconds since the epoch (UTC, without leap seconds), written as RFC 3339.
public struct Timestamp: Hashable, Comparable, Sendable {
  public let nanosecondsSinceEpoch: UInt64

  public init(nanosecondsSinceEpoch: UInt64) {
    self.nanosecondsSinceEpoch = nanosecondsSinceEpoch
  }

  /// The wall clock's time. About 25 ns.
  public static func now() -> Timestamp {
    Timestamp(nanosecondsSinceEpoch: conclave_realtime_ns())
  }

  public static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.nanosecondsSinceEpoch < right.nanosecondsSinceEpoch
  }
}

extension Timestamp: CustomStringConvertible {
  /// For instance `2026-11-21T09:05:00.123456789Z`: always UTC, always nine digits.
  public var description: String {
    var text = [UInt8](repeating: 0, count: Timestamp.textLength)
    unsafe text.withUnsafeMutableBytes { text in
      if let base = text.baseAddress { unsafe write(to: base) }
    }
    return String(decoding: text, as: UTF8.self)
  }
}

extension Timestamp {
  /// The length of ``description`` in bytes.
  static let textLength = 30

  static let nanosecondsPerSecond: UInt64 = 1_000_000_000
  static let secondsPerDay: UInt64 = 86_400

  /// Writes ``description`` to 30 bytes of memory. About 10 ns.
  func write(to text: UnsafeMutableRawPointer) {
    let (seconds, fraction) = nanosecondsSinceEpoch.quotientAndRemainder(
      dividingBy: Timestamp.nanosecondsPerSecond)
    let (days, second) = seconds.quotientAndRemainder(dividingBy: Timestamp.secondsPerDay)
    let date = CivilDate(daysSinceEpoch: Int64(days))
    let template: StaticString = "0000-00-00T00:00:00.000000000Z"
    unsafe text.copyMemory(from: template.utf8Start, byteCount: Timestamp.textLength)
    unsafe put(UInt64(date.year), 4, to: text)
    unsafe put(UInt64(date.month), 2, to: text + 5)
    unsafe put(UInt64(date.day), 2, to: text + 8)
    unsafe put(second / 3600, 2, to: text + 11)
    unsafe put(second / 60 % 60, 2, to: text + 14)
    unsafe put(second % 60, 2, to: text + 17)
    unsafe put(fraction, 9, to: text + 20)
  }

  @inline(__always)
  private func put(_ number: UInt64, _ digits: Int, to text: UnsafeMutableRawPointer) {
    var rest = number
    var offset = digits
    while offset > 0 {
      offset &-= 1
      let digit = UInt8(truncatingIfNeeded: rest % 10)
      unsafe text.storeBytes(of: digit &+ UInt8(ascii: "0"), toByteOffset: offset, as: UInt8.self)
      rest /= 10
    }
  }
}
