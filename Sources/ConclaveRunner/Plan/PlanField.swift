/// A line of Markdown as a list sees it.
struct PlanListLine {
  /// How far its text, or the sign of its item, stands to the right.
  let indent: Int
  /// Whether it begins an item of a list.
  let isItem: Bool
  /// Whether the item is one to be ticked off.
  let isCheckbox: Bool
  /// Without indentation, the item's sign, and white space at the end.
  let content: Substring

  init(_ text: String) {
    let rest = text.drop(while: \.isWhitespace)
    indent = text.prefix(while: \.isWhitespace).reduce(0) { $0 + ($1 == "\t" ? 4 : 1) }
    let item = PlanListLine.behindSign(rest)
    isItem = item != nil
    let words = (item ?? rest).trimmed
    isCheckbox = item != nil && ["[ ] ", "[x] ", "[X] "].contains(where: words.hasPrefix)
    content = isCheckbox ? words.dropFirst(4).trimmed : words
  }

  private static func behindSign(_ text: Substring) -> Substring? {
    var rest = text
    if let first = rest.first, "-*+".contains(first) {
      rest = rest.dropFirst()
    } else {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest[digits.endIndex...]
      guard !digits.isEmpty, let end = rest.popFirst(), ".)".contains(end) else { return nil }
    }
    return rest.first?.isWhitespace ?? true ? rest : nil
  }
}

/// What a section says of files or dependencies: `Files:` or `Dependencies:`, and then something
/// on the same line, or a list below.
struct PlanField {
  enum Kind: String {
    case files = "Files"
    case dependencies = "Dependencies"
  }

  /// What the next line is to the list.
  enum Next {
    case item(String)
    /// Somebody's remark, or nothing.
    case ignored
    /// No part of it, and nothing below is either.
    case end
  }

  let kind: Kind
  /// Where it begins, counted from 1.
  let line: Int
  /// What stands behind the colon.
  let inline: String
  /// Whether it has no item yet.
  private(set) var isEmpty: Bool
  /// What the items below say of themselves if nothing else, for instance below `- Create:`.
  var fileKind: PlanFile.Kind?

  /// How far to the right its items stand at least.
  private let leastIndent: Int
  private var itemIndent: Int?
  private var isBehindBlank = false

  /// nil when the line begins none.
  init?(_ line: PlanListLine, number: Int) {
    guard let colon = line.content.firstIndex(of: ":") else { return nil }
    let label = line.content[..<colon]
    guard let kind = PlanField.kind(label) else { return nil }
    self.kind = kind
    self.line = number
    var value = line.content[line.content.index(after: colon)...]
    // In "**Files:** x" the emphasis ends behind the colon.
    let emphasis = label.prefix { "*_".contains($0) }
    if !emphasis.isEmpty, !label.hasSuffix(emphasis), value.hasPrefix(emphasis) {
      value = value.dropFirst(emphasis.count)
    }
    inline = String(value.trimmed)
    isEmpty = inline.isEmpty
    leastIndent = line.isItem ? line.indent + 1 : 0
  }

  /// A heading of its own, such as `#### Files`.
  init?(heading: Substring, line: Int) {
    let text = heading.last == ":" ? heading.dropLast() : heading
    guard let kind = PlanField.kind(text) else { return nil }
    self.kind = kind
    self.line = line
    inline = ""
    isEmpty = true
    leastIndent = 0
  }

  private static func kind(_ label: Substring) -> Kind? {
    switch label.filter({ !"*_".contains($0) }).trimmed.lowercased() {
    case "files", "file", "files touched", "files likely touched", "files to create",
      "files to modify":
      .files
    case "dependencies", "dependency", "depends on": .dependencies
    default: nil
    }
  }

  mutating func next(_ line: PlanListLine) -> Next {
    if line.content.isEmpty {
      isBehindBlank = !isEmpty
      return .ignored
    }
    let looksRight = looksLikeEntry(line.content)
    if isBehindBlank {
      // Steps to be ticked off follow many a list of files, and begin with one as well.
      guard line.isItem, looksRight, kind == .dependencies || !line.isCheckbox else { return .end }
      isBehindBlank = false
    }
    guard line.indent >= leastIndent else { return .end }
    guard line.isItem else {
      if looksRight { return item(line) }
      return !isEmpty && line.indent > leastIndent ? .ignored : .end
    }
    if let itemIndent, line.indent > itemIndent { return looksRight ? item(line) : .ignored }
    itemIndent = line.indent
    fileKind = nil
    return item(line)
  }

  private mutating func item(_ line: PlanListLine) -> Next {
    isEmpty = false
    return .item(String(line.content))
  }

  /// Whether there is no doubt that it belongs to the list.
  private func looksLikeEntry(_ content: Substring) -> Bool {
    switch kind {
    case .files: return content.first == "`" || PlanFileList.kindAndRest(content) != nil
    case .dependencies:
      let word = content.drop { "*_`[#".contains($0) }
      return word.first?.isNumber ?? false
        || ["task", "none"].contains(String(word.prefix(4)).lowercased())
    }
  }
}
