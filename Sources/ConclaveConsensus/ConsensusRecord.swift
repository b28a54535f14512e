/// All that was said on the way to a consensus, and what came of it.
public struct ConsensusRecord: Sendable {
  /// What ``ConsensusRecord/text`` is worth.
  public enum Standing: String, Hashable, Sendable, CaseIterable {
    /// The synthesis of as many independent answers as were demanded.
    case consensus
    /// Of fewer: the synthesis of what there was, or the only answer itself.
    case belowQuorum = "below quorum"
    /// No agent made a synthesis: everything that was said, one behind the other.
    case digest
    /// Nobody has answered.
    case nothing
    /// It was stopped.
    case interrupted
  }

  /// One turn of a debate: what each had to say to what the others had said.
  public typealias Round = [Opinion]

  public let question: ConsensusQuestion
  /// In the order in which the agents were named.
  public internal(set) var analyses: [Opinion] = []
  /// What each that has answered stands for, in the same order; empty without a debate.
  public internal(set) var theses: [Thesis] = []
  /// Who was asked what it stands for, since it had not said it.
  public internal(set) var summaries: [Opinion] = []
  public internal(set) var rounds: [Round] = []
  /// Why there was no debate although one was wanted, or why it ended early.
  public internal(set) var debateNotice: String?
  /// Who was asked for the synthesis, in that order; only the last may have answered.
  public internal(set) var chairmen: [Opinion] = []
  public internal(set) var quorum = 2
  /// Of each agent's name the first one that the same agent has.
  var origins: [String: String] = [:]
  public internal(set) var isInterrupted = false
  public internal(set) var seconds = 0.0

  init(_ question: ConsensusQuestion) { self.question = question }

  /// The first answers that there are.
  public var answers: [Opinion] { analyses.filter(\.isAnswer) }

  /// The synthesis, if there is one.
  public var synthesis: Opinion? { chairmen.last { $0.isAnswer } }

  public var standing: Standing {
    if isInterrupted { return .interrupted }
    if answers.isEmpty { return .nothing }
    if answers.count > 1, synthesis == nil { return .digest }
    return independentAnswers < quorum ? .belowQuorum : .consensus
  }

  /// How many different agents have answered.
  public var independentAnswers: Int { Set(answers.map { origins[$0.agent] ?? $0.agent }).count }

  /// What it comes to: the synthesis, or what there is instead of it. Empty when there is nothing.
  public var text: String {
    if let synthesis { return synthesis.text }
    return answers.count == 1 ? answers[0].text : ConsensusReport.digest(self)
  }

  /// One call of one agent.
  public struct Call: Sendable {
    /// `answer`, `summary`, `reply` with its round, or `synthesis`.
    public let stage: String
    public let opinion: Opinion
  }

  /// All calls, in the order of the stages.
  public var calls: [Call] {
    var calls = analyses.map { Call(stage: "answer", opinion: $0) }
    calls += summaries.map { Call(stage: "summary", opinion: $0) }
    for (number, round) in rounds.enumerated() {
      calls += round.map { Call(stage: "reply \(number + 1)", opinion: $0) }
    }
    return calls + chairmen.map { Call(stage: "synthesis", opinion: $0) }
  }

  /// In US dollars.
  public var cost: Double { calls.reduce(0) { $0 + $1.opinion.cost } }
}
