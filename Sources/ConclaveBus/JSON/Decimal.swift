extension UInt64 {
  /// A number in decimal digits and nothing else; nil when it is something else or too large.
  init?(decimal text: some Sequence<UInt8>) {
    var value: UInt64 = 0
    var count = 0
    for byte in text {
      let digit = byte &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carried) = scaled.addingReportingOverflow(UInt64(digit))
      guard !overflow, !carried else { return nil }
      value = sum
      count &+= 1
    }
    guard count > 0 else { return nil }
    self = value
  }
}

extension MessageID {
  /// The id that `description` prints, from bytes.
  init?(bytes: UnsafeRawBufferPointer) {
    guard let dash = unsafe bytes.firstIndex(of: UInt8(ascii: "-")),
      let process = unsafe UInt64(decimal: bytes[..<dash]), process <= UInt64(UInt32.max),
      let counter = unsafe UInt64(decimal: bytes[(dash + 1)...])
    else { return nil }
    self.init(process: UInt32(process), counter: counter)
  }
}
