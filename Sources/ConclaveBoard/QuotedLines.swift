/// The lines of a Markdown text that show what is not said: code fences and quotations.
///
/// Fences are CommonMark's: at most three spaces, then three or more backticks or tildes; behind
/// backticks no backtick on the same line. A fence ends with a line of at least as many of the same
/// characters and nothing else, or with the text.
enum QuotedLines {
  /// The bytes of such lines, rising, without their line ends. O(n).
  static func ranges(in bytes: [UInt8]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var fence: (character: UInt8, count: Int)?
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      let line = bytes[start..<end]
      if let open = fence {
        ranges.append(start..<end)
        if closes(line, open) { fence = nil }
      } else if let opened = opens(line) {
        ranges.append(start..<end)
        fence = opened
      } else if unindented(line)?.first == UInt8(ascii: ">") {
        ranges.append(start..<end)
      }
      start = end + 1
    }
    return ranges
  }

  /// Without up to three spaces; nil when there are more.
  private static func unindented(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    let rest = line.drop { $0 == UInt8(ascii: " ") }
    return rest.startIndex - line.startIndex <= 3 ? rest : nil
  }

  private static func opens(_ line: ArraySlice<UInt8>) -> (character: UInt8, count: Int)? {
    guard let text = unindented(line), let first = text.first,
      first == UInt8(ascii: "`") || first == UInt8(ascii: "~")
    else { return nil }
    let count = text.prefix { $0 == first }.count
    guard count >= 3 else { return nil }
    if first == UInt8(ascii: "`"), text.dropFirst(count).contains(first) { return nil }
    return (first, count)
  }

  private static func closes(
    _ line: ArraySlice<UInt8>, _ fence: (character: UInt8, count: Int)
  ) -> Bool {
    guard let text = unindented(line) else { return false }
    let rest = text.drop { $0 == fence.character }
    let count = rest.startIndex - text.startIndex
    return count >= fence.count && rest.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
  }
}
