extension Timestamp {
  /// Reads an RFC 3339 time: any number of fractional digits (those beyond nine are dropped), `Z`
  /// or a numeric offset, upper or lower case.
  ///
  /// nil when `text` is not such a time, or not between 1970 and 2554. A leap second counts as the
  /// second after it.
  public init?(rfc3339 text: String) {
    var text = text
    let parsed = text.withUTF8 { unsafe Timestamp(rfc3339: UnsafeRawBufferPointer($0)) }
    guard let parsed else { return nil }
    self = parsed
  }

  /// The same from bytes. About 25 ns.
  init?(rfc3339 bytes: UnsafeRawBufferPointer) {
    var parser = unsafe TimestampParser(scanner: JSONScanner(unsafe: bytes))
    guard let parsed = parser.parse() else { return nil }
    self = parsed
  }
}

/// Reads one RFC 3339 time from the beginning of its scanner to the end.
private struct TimestampParser {
  var scanner: JSONScanner

  mutating func parse() -> Timestamp? {
    guard let date = date(), skip("T", or: "t"), let second = secondOfDay(),
      let fraction = fraction(), let offset = offset(), scanner.position == scanner.end
    else { return nil }
    let seconds = date.daysSinceEpoch * Int64(Timestamp.secondsPerDay) + second - offset
    guard seconds >= 0 else { return nil }
    let (scaled, overflow) = UInt64(seconds).multipliedReportingOverflow(
      by: Timestamp.nanosecondsPerSecond)
    let (sum, carried) = scaled.addingReportingOverflow(fraction)
    return overflow || carried ? nil : Timestamp(nanosecondsSinceEpoch: sum)
  }

  private mutating func date() -> CivilDate? {
    guard let year = number(digits: 4), skip("-"), let month = number(digits: 2), skip("-"),
      let day = number(digits: 2)
    else { return nil }
    let date = CivilDate(year: year, month: month, day: day)
    return date.isValid ? date : nil
  }

  private mutating func secondOfDay() -> Int64? {
    guard let hour = number(digits: 2), skip(":"), let minute = number(digits: 2), skip(":"),
      let second = number(digits: 2), hour <= 23, minute <= 59, second <= 60
    else { return nil }
    return (hour * 60 + minute) * 60 + second
  }

  /// The nanoseconds behind the point; 0 when there is no point.
  private mutating func fraction() -> UInt64? {
    guard skip(".") else { return 0 }
    var value: UInt64 = 0
    var digits = 0
    while let digit = nextDigit() {
      if digits < 9 { value = value * 10 + UInt64(digit) }
      digits += 1
    }
    guard digits > 0 else { return nil }
    for _ in min(digits, 9)..<9 { value *= 10 }
    return value
  }

  /// How many seconds the written time is ahead of UTC.
  private mutating func offset() -> Int64? {
    if skip("Z", or: "z") { return 0 }
    let isWest = skip("-")
    guard isWest || skip("+"), let hours = number(digits: 2), skip(":"),
      let minutes = number(digits: 2), hours <= 23, minutes <= 59
    else { return nil }
    let seconds = (hours * 60 + minutes) * 60
    return isWest ? -seconds : seconds
  }

  @inline(__always)
  private mutating func number(digits: Int) -> Int64? {
    var value: Int64 = 0
    for _ in 0..<digits {
      guard let digit = nextDigit() else { return nil }
      value = value &* 10 &+ digit
    }
    return value
  }

  @inline(__always)
  private mutating func nextDigit() -> Int64? {
    guard let byte = scanner.current, byte &- UInt8(ascii: "0") <= 9 else { return nil }
    scanner.position &+= 1
    return Int64(byte &- UInt8(ascii: "0"))
  }

  @inline(__always)
  private mutating func skip(_ mark: Unicode.Scalar) -> Bool { scanner.skip(UInt8(ascii: mark)) }

  @inline(__always)
  private mutating func skip(_ mark: Unicode.Scalar, or other: Unicode.Scalar) -> Bool {
    skip(mark) || skip(other)
  }
}
