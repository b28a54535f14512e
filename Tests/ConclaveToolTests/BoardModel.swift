import ConclaveBus

@testable import ConclaveBoard

/// The rules of what a task is shown of a board, said once more and as simply as can be: what the
/// loops were really given is held against it.
struct BoardModel {
  static let newest = 20
  static let tokens = 4000
  static let textLength = 500

  /// A note of the log with what is worked out of it once.
  struct Note {
    let logged: LoggedNote
    let time: UInt64
    let expires: UInt64?
    /// What notes that say the same have in common.
    let key: String
    /// The text as it is shown.
    let shown: String

    init(_ logged: LoggedNote) {
      self.logged = logged
      time = Timestamp(rfc3339: logged.timestamp)?.nanosecondsSinceEpoch ?? 0
      expires = logged.expires.flatMap { Timestamp(rfc3339: $0)?.nanosecondsSinceEpoch }
      var text = logged.text.lowercased()
      while text.hasSuffix("!") || text.hasSuffix(".") { text.removeLast() }
      key = logged.kind == "intent" ? "\(logged.sender) \(text)" : text
      let isLong = logged.text.utf8.count > BoardModel.textLength
      shown =
        isLong
        ? "\"\(logged.text.prefix(BoardModel.textLength))\" [cut: \(logged.text.utf8.count) bytes]"
        : "\"\(logged.text)\""
    }

    /// Of `others` the senders, each once.
    func line(also others: [String] = [], whole: Bool = false, at now: UInt64) -> String {
      var also = ""
      if !others.isEmpty {
        let more = others.count > 3 ? " and \(others.count - 3) more" : ""
        also = " (also \(others.prefix(3).joined(separator: ", "))\(more))"
      }
      let text = whole ? "\"\(logged.text)\"" : shown
      return
        "- \(logged.kind) by \(logged.sender), \(BoardModel.age(time, at: now))\(also): \(text)"
    }
  }

  /// What is to be shown.
  struct Expectation: Equatable {
    var lines: [String] = []
    /// What the line of what is left out says, or nil.
    var rest: String?
  }

  /// - Parameters:
  ///   - board: what the task had read when it looked.
  ///   - task: who looks.
  static func expectation(_ board: ArraySlice<Note>, for task: String, at now: UInt64)
    -> Expectation
  {
    var groups: [String: [Int]] = [:]
    for index in board.indices where board[index].logged.sender != task {
      if let end = board[index].expires, end <= now { continue }
      groups[board[index].key, default: []].append(index)
    }
    var warnings: [String] = []
    var others: [String] = []
    for group in groups.values.sorted(by: { ($0.last ?? 0) > ($1.last ?? 0) }) {
      let warning = group.last { board[$0].logged.kind == "warning" }
      guard let chosen = warning ?? group.last else { continue }
      var senders: [String] = []
      for index in group where !senders.contains(board[index].logged.sender) {
        senders.append(board[index].logged.sender)
      }
      senders.removeAll { $0 == board[chosen].logged.sender }
      let line = board[chosen].line(also: senders, at: now)
      if warning == nil { others.append(line) } else { warnings.append(line) }
    }
    return cut(warnings, others)
  }

  private static func cut(_ warnings: [String], _ others: [String]) -> Expectation {
    var result = Expectation()
    var room = tokens - BoardRendering.frameTokens
    var left: [String] = []
    func take(_ lines: ArraySlice<String>, _ name: String) {
      for (place, line) in lines.enumerated() {
        room -= (line.utf8.count + 2) / 3 + 1
        guard room >= 0 else {
          left.append("\(count(lines.count - place, name)) (no room)")
          return
        }
        result.lines.append(line)
      }
    }
    take(warnings[...], "older warning")
    take(others.prefix(newest), "older note")
    if others.count > newest {
      left.append("\(count(others.count - newest, "older note")) (too many)")
    }
    if !left.isEmpty { result.rest = "Not shown: \(left.joined(separator: ", "))." }
    return result
  }

  private static func count(_ number: Int, _ name: String) -> String {
    "\(number) \(name)\(number == 1 ? "" : "s")"
  }

  static func age(_ time: UInt64, at now: UInt64) -> String {
    guard time < now, now - time >= 1_000_000_000 else { return "just now" }
    let seconds = (now - time) / 1_000_000_000
    return seconds < 60 ? "\(seconds) s ago" : "\(seconds / 60) min ago"
  }
}
