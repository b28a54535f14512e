/// The results for people: one table per benchmark.
enum Report {
  static func text(_ benchmark: any Benchmark.Type, _ record: Record) -> String {
    let shown = record.metrics.filter { $0.kind != .fault || $0.isFaulty }
    let rows = [["", "median", "min", "max", "", ""]] + shown.map(cells)
    let widths = (0..<6).map { column in rows.map { $0[column].count }.max() ?? 0 }
    let lines = rows.map { row in
      let cells = row.indices.map { pad(row[$0], widths[$0], toRight: (1...3).contains($0)) }
      return trimmed("  " + cells.joined(separator: "  "))
    }
    return "\(benchmark.name): \(benchmark.question)\n" + lines.joined(separator: "\n") + "\n"
      + goodNews(record)
  }

  /// Nobody wants to read rows of zeros.
  private static func goodNews(_ record: Record) -> String {
    let good = record.metrics.filter { $0.kind == .fault && !$0.isFaulty }
    var what: [Substring] = []
    for metric in good {
      let word = metric.name.split(separator: ":").last ?? ""
      let trimmed = word.drop { $0 == " " }
      if !what.contains(trimmed) { what.append(trimmed) }
    }
    return what.isEmpty ? "" : "  0 in every run: \(what.joined(separator: ", "))\n"
  }

  private static func cells(_ metric: Record.Metric) -> [String] {
    [
      metric.name, readable(metric.median), readable(metric.least), readable(metric.greatest),
      metric.unit, remark(metric),
    ]
  }

  private static func remark(_ metric: Record.Metric) -> String {
    switch metric.kind {
    case .quantity, .ratio(atMost: nil): ""
    case .ratio(atMost: let limit?):
      "aim: at most \(readable(limit))" + (metric.median > limit ? ", missed" : "")
    case .fault: metric.isFaulty ? "must be 0" : ""
    }
  }

  private static func pad(_ text: String, _ width: Int, toRight: Bool) -> String {
    let spaces = String(repeating: " ", count: width - text.count)
    return toRight ? spaces + text : text + spaces
  }

  private static func trimmed(_ line: String) -> String {
    line.lastIndex { $0 != " " }.map { String(line[...$0]) } ?? ""
  }
}
