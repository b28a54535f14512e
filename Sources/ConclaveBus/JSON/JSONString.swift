/// Text as a JSON string and back.
package enum JSONString {
  /// Appends `text` in double quotes, with escapes where JSON demands them and nowhere else.
  package static func append(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      case 0x0A: bytes.append(contentsOf: #"\n"#.utf8)
      case 0x0D: bytes.append(contentsOf: #"\r"#.utf8)
      case 0x09: bytes.append(contentsOf: #"\t"#.utf8)
      case ..<0x20: bytes.append(contentsOf: controlEscape(byte))
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// `text` in double quotes, as ``append(_:to:)`` writes it.
  package static func encoded(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    append(text, to: &bytes)
    return bytes
  }

  private static func controlEscape(_ byte: UInt8) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    return Array(#"\u00"#.utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
  }

  /// Appends the text that `content`, the inside of a string that a ``JSONScanner`` has accepted,
  /// stands for. An escaped surrogate without its other half becomes U+FFFD.
  package static func appendDecoded(_ content: [UInt8], to bytes: inout [UInt8]) {
    var index = 0
    while index < content.count {
      let byte = content[index]
      guard byte == UInt8(ascii: "\\"), index + 1 < content.count else {
        bytes.append(byte)
        index += 1
        continue
      }
      let kind = content[index + 1]
      if kind == UInt8(ascii: "u") {
        let (scalar, length) = decodeUnicodeEscape(content, at: index)
        bytes.append(contentsOf: String(Character(scalar)).utf8)
        index += length
      } else {
        bytes.append(simpleEscape(kind))
        index += 2
      }
    }
  }

  private static func simpleEscape(_ kind: UInt8) -> UInt8 {
    switch kind {
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: kind
    }
  }

  /// The scalar of the escape at `index`, with the low surrogate that follows a high one, and the
  /// length of both.
  private static func decodeUnicodeEscape(
    _ content: [UInt8], at index: Int
  ) -> (Unicode.Scalar, length: Int) {
    guard let first = codeUnit(content, at: index) else { return ("\u{FFFD}", 2) }
    if let scalar = Unicode.Scalar(first) { return (scalar, 6) }
    guard UTF16.isLeadSurrogate(first), let second = codeUnit(content, at: index + 6),
      UTF16.isTrailSurrogate(second)
    else { return ("\u{FFFD}", 6) }
    let value = 0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
    return (Unicode.Scalar(value) ?? "\u{FFFD}", 12)
  }

  private static func codeUnit(_ content: [UInt8], at index: Int) -> UInt16? {
    guard index + 6 <= content.count, content[index] == UInt8(ascii: "\\"),
      content[index + 1] == UInt8(ascii: "u")
    else { return nil }
    var value: UInt16 = 0
    for digit in content[index + 2..<index + 6] {
      guard let nibble = JSONScanner.hexDigit(digit) else { return nil }
      value = value << 4 | nibble
    }
    return value
  }
}
