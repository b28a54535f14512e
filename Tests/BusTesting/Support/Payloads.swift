public import ConclaveBus

/// Payloads that transports have stumbled over, and payloads of any size.
public enum Payloads {
  /// Valid JSON whose bytes something in between likes to change.
  public static let awkward: [String] = [
    "null", "0", "-0", "1e400", "-1.5E-400", "123456789012345678901234567890", "0.1000", "\"\"",
    "{}", "[]", " \t\r\n[ 1 ,\n 2 ]\r\n ", "{\"a\":1,\"a\":2}", "{\"b\":1,\"a\":{\"z\":0,\"y\":1}}",
    #""\u0000\u001f\"\\\/\b\f\n\r\t""#, #""\ud83d\ude00 \u00E9 \u00e9""#,
    "\"é e\u{301} \u{1F600} \u{10FFFF} \u{7F} \u{2028}\u{2029}\u{FEFF}\"",
    "{\"\":\"\",\"\\u0000\":0,\"payload\":{\"seq\":7},\"id\":\"1-1\"}",
    String(repeating: "[", count: 900) + String(repeating: "]", count: 900),
    "[" + Array(repeating: "1", count: 500).joined(separator: ",\n") + "]",
  ]

  /// What looks like JSON and is not.
  public static let invalid: [String] = [
    "", " ", "nul", "True", "01", "1.", ".5", "+1", "1e", "0x1", "NaN", "Infinity", "'a'", "\"a",
    "\"\n\"", "\"\\x\"", "\"\\u12\"", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":}", "{a:1}",
    "{\"a\":1,}", "[", "]", "{\"a\":[}]", "1 2", "{} {}", "\u{FEFF}1", "// c\n1", "1\u{0}",
  ]

  /// A JSON value of exactly `size` bytes (at least 1) with contents that depend on `seed`.
  public static func sized(_ size: Int, seed: UInt64 = 1) throws -> RawJSON {
    precondition(size > 0)
    if size == 1 { return try RawJSON([UInt8(ascii: "1") + UInt8(seed % 9)]) }
    var bytes: [UInt8] = [UInt8(ascii: "\"")]
    bytes.reserveCapacity(size)
    // A prime, so that no power of two maps the contents onto themselves.
    let block = letters(min(size - 2, 65_521), seed: seed)
    while bytes.count < size - 1 { bytes.append(contentsOf: block.prefix(size - 1 - bytes.count)) }
    bytes.append(UInt8(ascii: "\""))
    return try RawJSON(bytes)
  }

  private static func letters(_ count: Int, seed: UInt64) -> [UInt8] {
    let alphabet = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/".utf8)
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in alphabet[random.below(64)] }
  }

  /// `number` padded to exactly 100 bytes or more, so that a medium fills.
  public static func numbered(_ number: Int) throws -> RawJSON {
    let digits = String(number)
    let padding = String(repeating: " ", count: max(0, 100 - digits.utf8.count))
    return try RawJSON(digits + padding)
  }

  /// The number that ``numbered(_:)`` wrote.
  public static func number(of payload: RawJSON) -> Int? {
    Int(String(decoding: payload.bytes.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self))
  }
}
