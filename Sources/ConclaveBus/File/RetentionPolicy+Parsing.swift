extension RetentionPolicy: LosslessStringConvertible {
  /// Reads `age=7d,size=1GiB,count=1000000`: one to three of the limits, each once, in any order.
  ///
  /// Numbers are whole. An age has the unit `ms`, `s`, `m`, `h`, `d` or `w` and is at most a
  /// hundred years; a size has `KiB`, `MiB`, `GiB` or none, for bytes. Nil for anything else.
  public init?(_ description: String) {
    self.init()
    for part in description.split(separator: ",", omittingEmptySubsequences: false) {
      guard let sign = part.firstIndex(of: "=") else { return nil }
      let value = part[part.index(after: sign)...]
      switch part[..<sign] {
      case "age" where age == nil: age = Self.age(value)
      case "size" where size == nil: size = Self.scaled(value, Self.sizes, most: .max)
      case "count" where count == nil: count = Self.scaled(value, [("", 1)], most: .max)
      default: return nil
      }
      if Self.isEmpty(part[..<sign], in: self) { return nil }
    }
  }

  /// As ``init(_:)`` reads it, each limit in the largest unit that it is a multiple of; empty
  /// without limits.
  public var description: String {
    var parts: [String] = []
    if let ageNanoseconds {
      parts.append("age=\(Self.text(ageNanoseconds / 1_000_000, Self.ages))")
    }
    if let size { parts.append("size=\(Self.text(size, Self.sizes))") }
    if let count { parts.append("count=\(count)") }
    return parts.joined(separator: ",")
  }

  private typealias Units = [(name: Substring, scale: UInt64)]

  /// In milliseconds, rising.
  private static let ages: Units = [
    ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000),
  ]
  private static let sizes: Units = [("", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)]
  private static let greatestAge: UInt64 = 100 * 366 * 86_400_000

  private static func isEmpty(_ key: Substring, in policy: RetentionPolicy) -> Bool {
    switch key {
    case "age": policy.age == nil
    case "size": policy.size == nil
    default: policy.count == nil
    }
  }

  private static func age(_ text: Substring) -> Duration? {
    scaled(text, ages, most: greatestAge).map { .milliseconds(Int64(clamping: $0)) }
  }

  private static func scaled(_ text: Substring, _ units: Units, most: UInt64) -> UInt64? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unit = text[digits.endIndex...]
    guard let number = UInt64(digits), let scale = units.first(where: { $0.name == unit })?.scale
    else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: scale)
    return overflow || product > most ? nil : product
  }

  private static func text(_ value: UInt64, _ units: Units) -> String {
    let unit = units.last { value % $0.scale == 0 && (value > 0 || $0.scale == 1) }
    guard let unit else { return "\(value)" }
    return "\(value / unit.scale)\(unit.name)"
  }
}
