/// Decides from the attempts alone whether a loop still gets anywhere, and what to do when not.
struct StuckJudge: Sendable {
  enum Advice: Hashable, Sendable {
    case goOn
    /// Try something else; at most twice.
    case shiftStrategy(String)
    /// The error looks as if something were not known: tell more.
    case tellMore(String)
    /// Nothing has helped.
    case stop(String)
  }

  static let shiftLimit = 2

  /// So many equal failures in a row are too many; at least 2.
  let threshold: Int

  init(threshold: Int) { self.threshold = max(2, threshold) }

  /// - Parameters:
  ///   - attempts: all failed ones of this task, the latest last.
  ///   - shifts: how often the strategy was shifted.
  ///   - hasToldMore: whether that was tried.
  func advice(_ attempts: [LoopAttempt], shifts: Int, hasToldMore: Bool) -> Advice {
    // What came before the last advice has had its answer.
    let start = (attempts.lastIndex { $0.isAnswered } ?? -1) + 1
    guard let reason = reason(attempts[start...]), let last = attempts.last else { return .goOn }
    if shifts < StuckJudge.shiftLimit { return .shiftStrategy(reason) }
    if !hasToldMore, StuckJudge.lacksInformation(last.summary) { return .tellMore(reason) }
    return .stop(reason)
  }

  private func reason(_ attempts: ArraySlice<LoopAttempt>) -> String? {
    guard let last = attempts.last else { return nil }
    let equal = attempts.reversed().prefix { $0.gate == last.gate && $0.hash == last.hash }.count
    if equal >= threshold { return "the same error \(equal) times in a row" }
    let still = attempts.reversed().prefix { !$0.tree.isEmpty && $0.tree == last.tree }.count
    if still >= threshold { return "no difference after \(still) attempts" }
    let four = attempts.suffix(4).map { "\($0.gate) \($0.hash)" }
    if four.count == 4, four[0] == four[2], four[1] == four[3], four[0] != four[1] {
      return "two errors take turns"
    }
    return nil
  }

  private static func lacksInformation(_ text: String) -> Bool {
    let text = text.lowercased()
    return [
      "not found", "no such", "undefined", "cannot find", "can't find", "unknown", "no module",
      "unresolved", "not defined", "missing", "does not exist", "not in scope",
    ].contains { text.contains($0) }
  }
}
