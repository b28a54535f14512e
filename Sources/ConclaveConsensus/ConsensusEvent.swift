/// What a consensus has got to. Told on any thread.
public enum ConsensusEvent: Sendable {
  /// Everybody was asked.
  case began(agents: [String])
  /// A first answer.
  case answered(Opinion)
  /// A turn of the debate begins.
  case roundBegan(Int, agents: [String])
  case replied(Opinion, round: Int)
  /// There is no debate, or no more of it.
  case noDebate(String)
  case chairmanAsked(String)
  case chaired(Opinion)

  /// A line, for people.
  public var sentence: String {
    switch self {
    case .began(let agents): "asked \(agents.joined(separator: ", "))"
    case .answered(let opinion): ConsensusEvent.words(opinion, "has answered")
    case .roundBegan(let round, let agents):
      "debate, round \(round): \(agents.joined(separator: ", "))"
    case .replied(let opinion, _): ConsensusEvent.words(opinion, "has replied")
    case .noDebate(let reason): "no debate: \(reason)"
    case .chairmanAsked(let agent): "\(agent) makes a synthesis"
    case .chaired(let opinion): ConsensusEvent.words(opinion, "has made it")
    }
  }

  private static func words(_ opinion: Opinion, _ success: String) -> String {
    if let failure = opinion.failure { return "\(opinion.agent) fails: \(failure)" }
    return "\(opinion.agent) \(success) (\(Int(opinion.seconds.rounded())) s)"
  }
}
