import ConclaveBus

/// Rows under a heading, for people: columns as wide as their widest cell, numbers to the right.
struct TextTable {
  enum Alignment { case left, right }

  private let columns: [(title: String, alignment: Alignment)]
  private var rows: [[String]] = []

  init(_ columns: [(String, Alignment)]) {
    self.columns = columns.map { (title: $0.0, alignment: $0.1) }
  }

  mutating func add(_ cells: String...) { add(cells) }

  mutating func add(_ cells: [String]) {
    precondition(cells.count == columns.count, "a row has one cell per column")
    rows.append(cells)
  }

  /// The lines, indented by two, or nothing without rows.
  var text: String {
    guard !rows.isEmpty else { return "" }
    let all = [columns.map(\.title)] + rows
    let widths = columns.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { row in
      let cells = columns.indices.map { column in
        pad(row[column], to: widths[column], columns[column].alignment)
      }
      let line = "  " + cells.joined(separator: "  ")
      return String(line.prefix(upTo: line.endOfText)) + "\n"
    }.joined()
  }

  private func pad(_ text: String, to width: Int, _ alignment: Alignment) -> String {
    let spaces = String(repeating: " ", count: width - text.count)
    return alignment == .left ? text + spaces : spaces + text
  }
}

extension String {
  /// Behind the last character that is not a space.
  fileprivate var endOfText: Index {
    lastIndex { $0 != " " }.map { index(after: $0) } ?? startIndex
  }
}

/// `count` with the unit that leaves 1 to 4 digits before the point.
func readableBytes(_ count: UInt64) -> String {
  let units = ["KiB", "MiB", "GiB", "TiB"]
  var value = Double(count)
  var unit = "B"
  for next in units where value >= 1024 {
    value /= 1024
    unit = next
  }
  return unit == "B" ? "\(count) B" : "\(decimal(value, digits: 1)) \(unit)"
}
