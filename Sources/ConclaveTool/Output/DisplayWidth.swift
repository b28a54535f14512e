/// How many columns of a terminal a text takes. Where terminals differ, for instance in what they
/// join to one picture, it is the greater number: a line that is cut by it never wraps.
enum DisplayWidth {
  static func columns(of text: String) -> Int {
    text.unicodeScalars.reduce(0) { $0 + columns(of: $1) }
  }

  /// The beginning of `text` that takes at most `count` columns; what is cut ends with `…`. O(n).
  static func cut(_ text: String, to count: Int) -> String {
    guard columns(of: text) > count else { return text }
    guard count > 0 else { return "" }
    var result = ""
    var width = 0
    for character in text {
      let next = columns(of: String(character))
      guard width + next <= count - 1 else { break }
      result.append(character)
      width += next
    }
    return result + "…"
  }

  /// `text`, cut or with spaces behind it, in exactly `count` columns.
  static func padded(_ text: String, to count: Int) -> String {
    let cut = cut(text, to: count)
    return cut + String(repeating: " ", count: max(0, count - columns(of: cut)))
  }

  static func columns(of scalar: Unicode.Scalar) -> Int {
    if (0x20..<0x7F).contains(scalar.value) { return 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: return isWide(scalar) ? 2 : 1
    }
  }

  /// East Asian wide and full-width characters, and pictures.
  private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.properties.isEmojiPresentation { return true }
    return wide.contains { $0.contains(scalar.value) }
  }

  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,
    0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6,
    0x16FE0...0x18DFF, 0x1AFF0...0x1B2FF, 0x1F000...0x1FAFF, 0x20000...0x3FFFD,
  ]
}
