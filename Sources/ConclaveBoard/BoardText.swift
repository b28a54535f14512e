/// What becomes of a text that others wrote before anybody is shown it.
///
/// The rules are about form, not meaning: what a text says stays, but it is one line of printable
/// characters, in which nothing begins a tag, a comment, a marker or a code fence.
public enum BoardText {
  /// `text` on one line. Escape sequences of terminals are left out; control characters, line
  /// breaks and spaces of all kinds become single spaces; what cannot be seen is left out:
  /// direction marks, joiners, tags, variation selectors, private and unassigned characters.
  /// A `<` that could begin a tag or a comment becomes `‹`, and of a code fence nothing is left but
  /// `'''`. O(n).
  public static func line(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in withoutEscapeSequences(text.unicodeScalars) {
      guard let shown = visible(scalar) else { continue }
      if shown == " ", result.isEmpty || result.last == " " { continue }
      result.append(shown)
    }
    if result.last == " " { result.removeLast() }
    return String(withoutTagsAndFences(Array(result)))
  }

  /// What two texts have in common that say the same: one line, in small letters, without the
  /// punctuation at the end.
  public static func normalised(_ text: String) -> String {
    let line = line(text).lowercased()
    guard let last = line.lastIndex(where: { !".,;:! ".contains($0) }) else { return line }
    return String(line[...last])
  }

  /// `text` without the white space around it.
  static func trimmed(_ text: String) -> String {
    let start = text.drop { $0.isWhitespace }
    guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return String(start[...last])
  }

  /// The first `count` bytes of `text`, or fewer where a character would be cut in two.
  static func cut(_ text: String, toBytes count: Int) -> String {
    guard text.utf8.count > count else { return text }
    let end = text.utf8.index(text.startIndex, offsetBy: count)
    // Scalars, not characters: one character may be as long as it likes.
    let view = text.unicodeScalars
    var index = end
    while index > text.startIndex, index.samePosition(in: view) == nil {
      index = text.utf8.index(before: index)
    }
    return String(view[..<index])
  }

  // MARK: Characters

  /// What stands for `scalar` on the line; nil for nothing.
  private static func visible(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
    switch scalar.properties.generalCategory {
    case .control, .spaceSeparator, .lineSeparator, .paragraphSeparator: " "
    case .format, .privateUse, .unassigned, .surrogate: nil
    default: scalar.properties.isDefaultIgnorableCodePoint ? nil : scalar
    }
  }

  /// Leaves out CSI and OSC sequences and their kin, from their introducer to their end; one
  /// without an end is left out as far as its form goes.
  private static func withoutEscapeSequences(
    _ scalars: String.UnicodeScalarView
  ) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    var rest = scalars[...]
    while let scalar = rest.popFirst() {
      switch scalar {
      case "\u{1B}": skipEscape(&rest)
      case "\u{9B}": skipControlSequence(&rest)
      case "\u{90}", "\u{98}", "\u{9D}", "\u{9E}", "\u{9F}": skipControlString(&rest)
      default: result.append(scalar)
      }
    }
    return result
  }

  /// Behind the escape character.
  private static func skipEscape(_ rest: inout String.UnicodeScalarView.SubSequence) {
    switch rest.first {
    case "[":
      rest.removeFirst()
      skipControlSequence(&rest)
    case "]", "P", "X", "^", "_":
      rest.removeFirst()
      skipControlString(&rest)
    case let next? where (0x20...0x7E).contains(next.value):
      rest = rest.drop { (0x20...0x2F).contains($0.value) }
      if let last = rest.first, (0x30...0x7E).contains(last.value) { rest.removeFirst() }
    default: break
    }
  }

  /// Parameters, intermediate characters, and the final one.
  private static func skipControlSequence(_ rest: inout String.UnicodeScalarView.SubSequence) {
    rest = rest.drop { (0x20...0x3F).contains($0.value) }
    if let last = rest.first, (0x40...0x7E).contains(last.value) { rest.removeFirst() }
  }

  /// Up to the bell or the string terminator, both of which control characters are; at a line's end
  /// or another control character at the latest, so that an introducer alone does not swallow what
  /// follows on later lines.
  private static func skipControlString(_ rest: inout String.UnicodeScalarView.SubSequence) {
    rest = rest.drop { $0.properties.generalCategory != .control }
    switch rest.first {
    case "\u{07}", "\u{9C}": rest.removeFirst()
    case "\u{1B}" where rest.dropFirst().first == "\\": rest.removeFirst(2)
    default: break
    }
  }

  // MARK: Marks

  /// Each replacement is by something else than what it replaces, so that nothing can come together
  /// behind it.
  private static func withoutTagsAndFences(
    _ scalars: [Unicode.Scalar]
  ) -> String.UnicodeScalarView {
    var result = String.UnicodeScalarView()
    var index = 0
    while index < scalars.count {
      let scalar = scalars[index]
      switch scalar {
      case "`", "~":
        let run = scalars[index...].prefix { $0 == scalar }
        result.append(contentsOf: run.count < 3 ? Array(run) : Array("'''".unicodeScalars))
        index += run.count
      case "<" where index + 1 < scalars.count && beginsTag(scalars[index + 1]):
        result.append("‹")
        index += 1
      default:
        result.append(scalar)
        index += 1
      }
    }
    return result
  }

  /// Whether what follows a `<` makes it more than a comparison.
  private static func beginsTag(_ next: Unicode.Scalar) -> Bool {
    next.properties.isAlphabetic || "!/?|".unicodeScalars.contains(next)
  }
}
