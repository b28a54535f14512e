import ConclaveBus

/// What a selection leaves out, and why. Only the last four are news for who reads it: the others
/// are known or of no more use.
public struct BoardOmissions: Hashable, Sendable {
  /// The task's own notes.
  public var own = 0
  /// What it was shown before, in these or nearly these words.
  public var seen = 0
  /// Notes whose time is over.
  public var expired = 0
  /// Notes that their senders have replaced (``BoardScope/about``).
  public var replaced = 0
  /// Notes for other tasks (``BoardScope/recipient``).
  public var forOthers = 0
  /// Notes that say what one that is shown says.
  public var repeated = 0
  /// Older notes beyond ``BoardLimits/count``; no warnings.
  public var beyondCount = 0
  /// Older warnings for which ``BoardLimits/tokens`` had no room.
  public var warningsBeyondTokens = 0
  /// Other older notes for which it had none.
  public var othersBeyondTokens = 0
  /// Messages that the bus lost, or that were dropped because there were too many.
  public var lost: UInt64 = 0

  public init() {}

  /// What is to be said of them, or nil: one line without a line feed.
  ///
  /// - Parameter board: the topic on which all of it can be read; nil for the usual one.
  func line(board: Topic?) -> String? {
    var parts: [String] = []
    func add(_ count: some BinaryInteger, _ one: String, _ many: String, _ why: String) {
      if count > 0 { parts.append("\(count) \(count == 1 ? one : many) (\(why))") }
    }
    add(warningsBeyondTokens, "older warning", "older warnings", "no room")
    add(othersBeyondTokens, "older note", "older notes", "no room")
    add(beyondCount, "older note", "older notes", "too many")
    add(lost, "message", "messages", "lost")
    guard !parts.isEmpty else { return nil }
    let topic = board.map { " --topic \($0)" } ?? ""
    return "Not shown: \(parts.joined(separator: ", ")). See: conclave board read --all\(topic)"
  }
}
