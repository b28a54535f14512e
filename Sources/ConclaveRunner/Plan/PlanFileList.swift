/// One line of files: `Create: a`, `` Modify: `b:10-20`, `c` (a remark) ``, `None`.
struct PlanFileList {
  private(set) var kind: PlanFile.Kind?
  private(set) var paths: [PlanFile] = []
  private var rest: Substring

  private static let hint =
    "write Create:, Modify: or Test: and paths in backticks, with commas between"

  /// - Parameter usualKind: what holds unless the line says something else.
  init(_ text: String, usualKind: PlanFile.Kind?) {
    kind = usualKind
    rest = text[...]
  }

  /// - Throws: with the paths before the mistake kept.
  mutating func read() throws(PlanMistake) {
    rest = try PlanRemarks.removed(from: String(rest)).trimmed
    if let (kind, rest) = PlanFileList.kindAndRest(rest) {
      self.kind = kind
      self.rest = rest.trimmed
    } else if let label = PlanFileList.label(rest) {
      throw PlanMistake(
        "\(shown(label.trimmed)) is none of Create, Modify, Test", hint: PlanFileList.hint)
    }
    let words = rest.lowercased()
    if words.isEmpty || ["none", "none.", "n/a", "-", "–", "—"].contains(words) { return }
    repeat { paths.append(try path()) } while try hasMore()
  }

  /// What a line begins with, `Create:` or `` Create ` ``, and what follows.
  static func kindAndRest(_ text: Substring) -> (PlanFile.Kind, Substring)? {
    let word = text.drop { "*_".contains($0) }.prefix(while: \.isLetter)
    let kind: PlanFile.Kind
    switch word.lowercased() {
    case "create", "creates", "created", "add", "new": kind = .create
    case "test", "tests": kind = .test
    case "modify", "modifies", "modified", "update", "change", "edit", "delete", "remove",
      "rename", "move":
      kind = .modify
    default: return nil
    }
    var rest = text[word.endIndex...].drop { "*_".contains($0) }.drop(while: \.isWhitespace)
    guard rest.first == ":" else { return rest.first == "`" ? (kind, rest) : nil }
    rest = rest.dropFirst()
    return (kind, text.first == "*" || text.first == "_" ? rest.drop { "*_".contains($0) } : rest)
  }

  /// Words before a colon that are no path.
  private static func label(_ text: Substring) -> Substring? {
    guard let colon = text.firstIndex(of: ":"), case let label = text[..<colon],
      case let next = text.index(after: colon),
      next == text.endIndex || text[next].isWhitespace || text[next] == "*",
      !label.contains(where: { "/.`".contains($0) })
    else { return nil }
    return label
  }

  private mutating func path() throws(PlanMistake) -> PlanFile {
    guard let first = rest.first else {
      throw PlanMistake("a path is missing at the end", hint: PlanFileList.hint)
    }
    guard first == "`" else {
      let word = rest.prefix { !$0.isWhitespace && !",;`".contains($0) }
      rest = rest[word.endIndex...].drop(while: \.isWhitespace)
      if let next = rest.first, next.isLetter || next.isNumber, !isAnd(rest) {
        throw PlanMistake(
          "\(shown(word)) is a path, or the beginning of one, and what follows is not",
          hint: PlanFileList.hint)
      }
      return try PlanFile(String(word), kind: kind ?? .modify)
    }
    let signs = rest.prefix { $0 == "`" }
    let inside = rest[signs.endIndex...]
    guard let end = inside.firstRange(of: signs) else {
      throw PlanMistake("a backtick is never closed", hint: PlanFileList.hint)
    }
    rest = inside[end.upperBound...].drop(while: \.isWhitespace)
    return try PlanFile(
      String(inside[..<end.lowerBound].trimmed), kind: kind ?? .modify)
  }

  private func isAnd(_ text: Substring) -> Bool {
    text.hasPrefix("and ") || text.hasPrefix("and`")
  }

  /// Whether another path follows. What else follows is a remark.
  private mutating func hasMore() throws(PlanMistake) -> Bool {
    if rest.first == "`" { return true }
    for separator in [",", ";", "&", "+", "→", "->", "and "] where rest.hasPrefix(separator) {
      rest = rest.dropFirst(separator.count).drop(while: \.isWhitespace)
      if isAnd(rest) { rest = rest.dropFirst(3).drop(while: \.isWhitespace) }
      return true
    }
    return false
  }
}
