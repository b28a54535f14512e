/// A heading of Markdown: one to six `#` and a text.
struct PlanHeading {
  let level: Int
  let text: Substring

  /// nil when the line is none. Four spaces before it would make it code.
  init?(_ line: String) {
    let rest = line.drop { $0 == " " }
    guard line.utf8.count - rest.utf8.count < 4 else { return nil }
    level = rest.prefix { $0 == "#" }.count
    let behind = rest.dropFirst(level)
    guard (1...6).contains(level), behind.first?.isWhitespace ?? true else { return nil }
    var text = behind.trimmed
    // Closing signs stand behind a space; those of "C#" do not.
    let end = text.reversed().prefix { $0 == "#" }.count
    if end > 0, end == text.count || text.dropLast(end).last?.isWhitespace == true {
      text = text.dropLast(end).trimmed
    }
    self.text = text
  }

  enum Meaning {
    case task(id: Int, title: String)
    /// It looks like a task's heading, and this is wrong with it.
    case wrong(String, id: Int?)
    case other
  }

  /// What it says of tasks: `Task N: title` begins one; what only begins like it is no text that
  /// could be passed over.
  var meaning: Meaning {
    let words = text.drop { "*_`".contains($0) }
    guard words.prefix(4).lowercased() == "task",
      words.dropFirst(4).first?.isWhitespace == true
    else { return .other }
    let rest = words.dropFirst(4).drop(while: \.isWhitespace)
    let digits = rest.prefix { $0.isASCII && $0.isNumber }
    guard !digits.isEmpty else { return .other }
    let id = digits.count <= 9 ? Int(digits) : nil
    guard let id else { return .wrong("the number of a task has at most nine digits", id: nil) }
    let behind = rest[digits.endIndex...].drop(while: \.isWhitespace)
    guard words.startIndex == text.startIndex, behind.first == ":" else {
      return .wrong("this looks like the heading of a task, and is not", id: id)
    }
    let title = PlanHeading.plain(behind.dropFirst().trimmed)
    guard !title.isEmpty else { return .wrong("task \(id) has no title", id: id) }
    guard (2...3).contains(level) else {
      return .wrong("the heading of a task has two or three #, not \(level)", id: id)
    }
    return .task(id: id, title: title)
  }

  /// Without control characters: titles get into commits and onto terminals.
  private static func plain(_ text: Substring) -> String {
    let isControl = { (scalar: Unicode.Scalar) in
      scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
    }
    return String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? " " : $0 }))
  }
}
