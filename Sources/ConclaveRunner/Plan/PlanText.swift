/// A plan's text by lines, of which those count that a reader of the Markdown would see as text:
/// not what stands in fenced code or in comments.
struct PlanText {
  struct Line {
    /// Counted from 1.
    let number: Int
    /// Where it is in the text, line end included.
    let bytes: Range<Int>
    /// Without the line end and comments; nil for what does not count.
    let visible: String?
  }

  private(set) var lines: [Line] = []
  private(set) var issues: [PlanIssue] = []
  let bytes: [UInt8]

  private var fence: (sign: Character, length: Int, line: Int)?
  private var commentLine: Int?

  init(_ bytes: [UInt8]) {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    self.bytes = bytes.starts(with: mark) ? Array(bytes.dropFirst(3)) : bytes
    guard bytes.count <= Plan.sizeLimit else {
      let limit = Plan.sizeLimit >> 20
      issues = [
        PlanIssue(
          .tooLarge, line: 1, "the plan has more than \(limit) MiB", hint: "make several of it")
      ]
      return
    }
    readLines()
    if let fence { note(fence.line, "the code fence") }
    if let commentLine { note(commentLine, "the comment") }
  }

  private mutating func note(_ line: Int, _ what: String) {
    issues.append(
      PlanIssue(
        .unreadable, line: line, "\(what) that begins here never ends, so nothing below it counts",
        hint: "end it"))
  }

  private mutating func readLines() {
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? bytes.count
      readLine(start..<end)
      start = end
    }
  }

  private mutating func readLine(_ range: Range<Int>) {
    let number = lines.count + 1
    var content = bytes[range]
    if content.last == UInt8(ascii: "\n") { content.removeLast() }
    if content.last == UInt8(ascii: "\r") { content.removeLast() }
    var visible: String?
    if let text = String(validating: content, as: UTF8.self) {
      visible = seen(text, number)
    } else {
      issues.append(
        PlanIssue(.unreadable, line: number, "this line is not UTF-8", hint: "convert the file"))
    }
    lines.append(Line(number: number, bytes: range, visible: visible))
  }

  /// What of a line counts, or nil.
  private mutating func seen(_ text: String, _ number: Int) -> String? {
    if let fence {
      if PlanText.ends(text, fence.sign, fence.length) { self.fence = nil }
      return nil
    }
    let isInside = commentLine != nil
    let visible = withoutComments(text, number)
    if isInside, visible.allSatisfy(\.isWhitespace) { return nil }
    if let (sign, length) = PlanText.fence(visible) {
      fence = (sign, length, number)
      return nil
    }
    return visible
  }

  /// Three or more backticks or tildes, also behind the sign of a list or a quotation.
  private static func fence(_ text: String) -> (Character, Int)? {
    var rest = text.drop(while: \.isWhitespace)
    while let sign = rest.first, "-*+>".contains(sign), rest.dropFirst().first?.isWhitespace == true
    { rest = rest.dropFirst().drop(while: \.isWhitespace) }
    guard let sign = rest.first, sign == "`" || sign == "~" else { return nil }
    let length = rest.prefix { $0 == sign }.count
    // Backticks behind it: code within the line.
    guard length >= 3, sign == "~" || !rest.dropFirst(length).contains("`") else { return nil }
    return (sign, length)
  }

  private static func ends(_ text: String, _ sign: Character, _ length: Int) -> Bool {
    let words = text.drop { $0.isWhitespace || $0 == ">" }
    let signs = words.prefix { $0 == sign }
    return signs.count >= length && words.dropFirst(signs.count).allSatisfy(\.isWhitespace)
  }

  private mutating func withoutComments(_ text: String, _ number: Int) -> String {
    // Most lines have none, and then nothing is to be copied.
    guard commentLine != nil || text.contains("<!--") else { return text }
    var result = ""
    var rest = text[...]
    while !rest.isEmpty {
      if commentLine != nil {
        guard let end = rest.firstRange(of: "-->") else { break }
        rest = rest[end.upperBound...]
        commentLine = nil
      } else if rest.hasPrefix("<!--") {
        rest = rest.dropFirst(4)
        commentLine = number
      } else if rest.first == "`" {
        let code = PlanText.codeSpan(rest)
        result += code
        rest = rest[code.endIndex...]
      } else {
        result.append(rest.removeFirst())
      }
    }
    return result
  }

  /// From a backtick to the one that ends the code, or only the backticks when none does.
  private static func codeSpan(_ text: Substring) -> Substring {
    let signs = text.prefix { $0 == "`" }
    guard let end = text[signs.endIndex...].firstRange(of: signs) else { return signs }
    return text[..<end.upperBound]
  }
}
