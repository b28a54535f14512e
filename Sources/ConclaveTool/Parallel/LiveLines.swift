import ConclaveBoard
import ConclaveRunner

/// The lines that show a run on a terminal: a head, and one line a task. A function of its
/// arguments.
///
/// What agents and plans say is cut to the terminal's width in columns, and has no control
/// characters, no directions and nothing that cannot be seen.
struct LiveLines {
  /// Of the terminal.
  let columns: Int
  let rows: Int
  let hasColor: Bool

  /// No more lines than the terminal has besides the one of the cursor, and none that reaches the
  /// last column, where terminals differ in what comes next.
  func lines(of state: LiveState, at now: Duration) -> [String] {
    guard !state.rows.isEmpty, rows >= 2, columns >= 2 else { return [] }
    let width = columns - 1
    let room = rows - 2
    let shown = LiveLines.chosen(state.rows, room)
    let number = state.rows.map { "\($0.task)".count }.max() ?? 1
    var lines = [
      DisplayWidth.cut(head(state, now, hidden: state.rows.count - shown.count), to: width)
    ]
    for row in shown { lines.append(line(row, now, number, width)) }
    return lines
  }

  /// In the order of the plan; when there is no room for all, those that are worked on come first.
  private static func chosen(_ rows: [LiveState.Row], _ room: Int) -> [LiveState.Row] {
    guard rows.count > room else { return rows }
    let order = rows.indices.sorted { one, other in
      let (first, second) = (weight(rows[one]), weight(rows[other]))
      return first == second ? one < other : first < second
    }
    return order.prefix(max(0, room)).sorted().map { rows[$0] }
  }

  private static func weight(_ row: LiveState.Row) -> Int {
    switch row.phase {
    case .working: 0
    case .failed, .blocked, .interrupted, .again: 1
    case .waiting: 2
    case .passed, .merged, .skipped: 3
    }
  }

  private func head(_ state: LiveState, _ now: Duration, hidden: Int) -> String {
    var parts = [
      state.waves == 0
        ? "\(state.working) at work" : "wave \(state.wave ?? 0) (\(state.waves) in all)"
    ]
    if state.isTesting { parts.append("tests of the merged work") }
    parts.append("\(state.merged) of \(state.tasks) merged")
    if state.lost > 0 { parts.append("\(state.lost) lost") }
    parts.append(LiveLines.time(now))
    if hidden > 0 { parts.append("\(counted(hidden, "task")) not shown") }
    return parts.joined(separator: ", ")
  }

  // MARK: One task

  /// As wide as the longest gate with its iteration usually is.
  private static let statusWidth = 15
  private static let ageWidth = 7

  private func line(_ row: LiveState.Row, _ now: Duration, _ number: Int, _ width: Int) -> String {
    let name = "\(row.task)"
    let age = row.age(at: now).map(LiveLines.time) ?? ""
    let parts = [
      String(repeating: " ", count: max(0, number - name.count)) + name,
      DisplayWidth.padded(status(row), to: LiveLines.statusWidth),
      DisplayWidth.padded(age, to: LiveLines.ageWidth),
      BoardText.line(row.news.isEmpty ? row.title : row.news),
    ]
    let plain = DisplayWidth.cut(" " + parts.joined(separator: "  "), to: width)
    return colored(plain, row.phase)
  }

  private func status(_ row: LiveState.Row) -> String {
    guard row.phase == .working else { return row.phase.rawValue }
    let gate = row.gate.isEmpty ? "working" : BoardText.line(row.gate)
    return row.iteration > 0 ? "\(gate) \(row.iteration)/\(row.iterations)" : gate
  }

  private func colored(_ line: String, _ phase: LiveState.Row.Phase) -> String {
    guard hasColor else { return line }
    let code: Int? =
      switch phase {
      case .failed, .blocked: 31
      case .merged, .passed: 32
      case .again, .interrupted: 33
      case .waiting, .skipped: 2
      case .working: nil
      }
    return code.map { "\u{1B}[\($0)m\(line)\u{1B}[0m" } ?? line
  }

  /// `9s`, `12m 3s`, `2h 5m`: at most seven columns up to four days.
  static func time(_ duration: Duration) -> String {
    let seconds = Int(max(0, min(duration / .seconds(1), 1e9)))
    return switch seconds {
    case ..<60: "\(seconds)s"
    case ..<3600: "\(seconds / 60)m \(seconds % 60)s"
    default: "\(seconds / 3600)h \(seconds / 60 % 60)m"
    }
  }
}
