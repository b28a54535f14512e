/// What one agent has answered to one question, or why it has not.
public struct Opinion: Hashable, Sendable {
  /// As it is called in everything that is said of it.
  public let agent: String
  /// Its last words, without white space around them; empty when it failed.
  public let text: String
  /// Why there is no answer, in a few words; nil when there is one.
  public let failure: String?
  public var seconds = 0.0
  /// In US dollars; 0 when it does not say.
  public var cost = 0.0
  public var inputTokens = 0
  public var outputTokens = 0

  public init(agent: String, text: String) {
    self.agent = agent
    self.text = text
    failure = nil
  }

  public init(agent: String, failure: String) {
    self.agent = agent
    text = ""
    self.failure = failure
  }

  public var isAnswer: Bool { failure == nil }
}
