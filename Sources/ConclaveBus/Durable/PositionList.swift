/// Places in the log, rising; written as `5,7-9`, and `-` for none.
struct PositionList: Hashable, Sendable {
  private(set) var runs: [ClosedRange<UInt64>] = []
  private(set) var count = 0

  /// More than a group ever holds; what is read from a file must not take for ever.
  static let greatestCount = 1 << 26

  init() {}

  init(_ rising: some Sequence<UInt64>) {
    for position in rising { append(position) }
  }

  /// Adds a place behind all others.
  mutating func append(_ position: UInt64) {
    count += 1
    if let last = runs.last, last.upperBound &+ 1 == position {
      runs[runs.count - 1] = last.lowerBound...position
    } else {
      runs.append(position...position)
    }
  }

  var isEmpty: Bool { runs.isEmpty }

  func forEach(_ body: (UInt64) -> Void) {
    for run in runs { for position in run { body(position) } }
  }

  // MARK: Text

  func write(to bytes: inout [UInt8]) {
    if runs.isEmpty { bytes.append(UInt8(ascii: "-")) }
    for (index, run) in runs.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      bytes.append(decimal: run.lowerBound)
      if run.upperBound > run.lowerBound {
        bytes.append(UInt8(ascii: "-"))
        bytes.append(decimal: run.upperBound)
      }
    }
  }

  /// nil when `text` is no such list.
  init?(_ text: ArraySlice<UInt8>) {
    if text.elementsEqual([UInt8(ascii: "-")]) { return }
    for part in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
      let ends = part.split(
        separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
      guard let first = ends.first.flatMap(UInt64.init(decimal:)),
        let last = ends.last.flatMap(UInt64.init(decimal:)), first <= last,
        runs.last.map({ $0.upperBound < first }) ?? true,
        last - first < UInt64(PositionList.greatestCount - count)
      else { return nil }
      runs.append(first...last)
      count += Int(last - first) + 1
    }
  }
}

extension [UInt8] {
  mutating func append(decimal value: UInt64) { append(contentsOf: String(value).utf8) }
}

extension UInt64 {
  /// nil unless `digits` are a number in decimal as it is printed.
  init?(decimal digits: ArraySlice<UInt8>) {
    guard !digits.isEmpty, digits.count == 1 || digits.first != UInt8(ascii: "0") else {
      return nil
    }
    var value: UInt64 = 0
    for digit in digits {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
      let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carried) = scaled.addingReportingOverflow(UInt64(digit - UInt8(ascii: "0")))
      if overflow || carried { return nil }
      value = sum
    }
    self = value
  }
}
