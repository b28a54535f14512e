/// As much of a terminal as the tests need: what is on its screen after some bytes. It joins and
/// wraps lines anew when it is resized, as most do.
struct TinyTerminal {
  private(set) var columns: Int
  private(set) var rows: Int
  /// Each line, also those that have left the screen; and whether it goes on in the next.
  private var lines: [(text: [Character], wraps: Bool)] = [([], false)]
  private var row = 0
  private var column = 0
  private var pending: [UInt8] = []
  /// Control sequences that it does not know.
  private(set) var unknown: [String] = []

  init(columns: Int, rows: Int) {
    self.columns = columns
    self.rows = rows
  }

  /// What stands on the screen and above it, without empty lines at the end.
  var text: [String] {
    var shown = lines.map { line in
      String(line.text).replacing(/\ +$/, with: "")
    }
    while shown.last == "" { shown.removeLast() }
    return shown
  }

  /// Whether the cursor is at the beginning of an empty line.
  var isAtFreshLine: Bool { column == 0 && lines[row].text.allSatisfy { $0 == " " } }

  mutating func feed(_ bytes: [UInt8]) {
    pending += bytes
    // A character or a sequence may be cut by the end of a read.
    guard let text = String(validating: pending, as: UTF8.self) else { return }
    if let start = text.lastIndex(of: "\u{1B}"),
      text[start...].dropFirst(2).allSatisfy({ !$0.isLetter })
    {
      pending = Array(text[start...].utf8)
      take(String(text[..<start]))
    } else {
      pending = []
      take(text)
    }
  }

  mutating func resize(columns: Int, rows: Int) {
    var joined: [[Character]] = []
    var place = (line: 0, offset: 0)
    var goesOn = false
    for (index, line) in lines.enumerated() {
      if !goesOn { joined.append([]) }
      if index == row { place = (joined.count - 1, joined[joined.count - 1].count + column) }
      joined[joined.count - 1] += line.text
      goesOn = line.wraps
    }
    (self.columns, self.rows) = (columns, rows)
    lines = []
    for (index, line) in joined.enumerated() {
      if index == place.line {
        (row, column) = (lines.count + place.offset / columns, place.offset % columns)
      }
      var rest = line[...]
      repeat {
        lines.append((Array(rest.prefix(columns)), rest.count > columns))
        rest = rest.dropFirst(columns)
      } while !rest.isEmpty
    }
  }

  private mutating func take(_ text: String) {
    var rest = text.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      switch scalar {
      case "\r": column = 0
      case "\n": down()
      case "\u{1B}":
        let sequence = rest.prefix { !$0.properties.isAlphabetic }
        rest = rest.dropFirst(sequence.count)
        control(String(String.UnicodeScalarView(sequence)), rest.popFirst() ?? " ")
      default: put(Character(scalar))
      }
    }
  }

  private mutating func control(_ parameters: String, _ last: Unicode.Scalar) {
    switch last {
    case "A": row = max(row - (Int(parameters.dropFirst()) ?? 1), max(0, lines.count - rows))
    case "J":
      lines[row].text.removeLast(max(0, lines[row].text.count - column))
      lines[row].wraps = false
      lines.removeLast(lines.count - row - 1)
    case "m": break
    default: unknown.append("\(parameters)\(last)")
    }
  }

  private mutating func put(_ character: Character) {
    if column == columns {
      lines[row].wraps = true
      down()
      column = 0
    }
    while lines[row].text.count <= column { lines[row].text.append(" ") }
    lines[row].text[column] = character
    column += 1
  }

  private mutating func down() {
    row += 1
    if row == lines.count { lines.append(([], false)) }
  }
}
