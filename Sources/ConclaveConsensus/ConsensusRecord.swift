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
  public internal(set) var rounds: [Round] = []
  /// Why there was no debate although one was wanted.
  public internal(set) var debateNotice: String?
  /// Who was asked for the synthesis, in that order; only the last may have answered.
  public internal(set) var chairmen: [Opinion] = []
  public internal(set) var quorum = 2
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
    return answers.count < quorum ? .belowQuorum : .consensus
  }

  /// What it comes to: the synthesis, or what there is instead of it. Empty when there is nothing.
  public var text: String {
    if let synthesis { return synthesis.text }
    return answers.count == 1 ? answers[0].text : ConsensusReport.digest(self)
  }

  /// Everybody who was called, as often as that was.
  var calls: [Opinion] { analyses + rounds.flatMap(\.self) + chairmen }

  /// In US dollars.
  public var cost: Double { calls.reduce(0) { $0 + $1.cost } }
}
