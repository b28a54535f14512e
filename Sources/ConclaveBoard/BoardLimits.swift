/// How much of a board a task is shown.
public struct BoardLimits: Hashable, Sendable {
  /// The least ``tokens`` that count: the frame and the news of what is left out have room in it.
  public static let leastTokens = 400

  /// How many notes that are no warnings (`BUS_MAX_BOARD_INJECT`).
  public var count: Int
  /// What everything that is shown costs at most, the frame included, estimated as
  /// ``tokens(in:)`` does.
  public var tokens: Int
  /// The greatest length of one note's text in bytes; what is longer is cut, and says so.
  public var textLength: Int

  public init(count: Int = 20, tokens: Int = 4000, textLength: Int = 500) {
    self.count = count
    self.tokens = tokens
    self.textLength = textLength
  }

  /// An estimate that is rather too high: a token for every three bytes begun. (English has about
  /// four bytes to a token, most other scripts three, code and numbers two to three.)
  public static func tokens(in text: String) -> Int { (text.utf8.count + 2) / 3 }
}
