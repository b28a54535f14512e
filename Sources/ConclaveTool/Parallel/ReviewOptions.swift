import ConclaveBus
import ConclaveConsensus
import ConclaveRunner

/// What `parallel-run --review` takes.
enum ReviewOptions {
  static let review = Option(
    "review", "when all has ended, let agents review what was merged, and one of them sum it up")
  private static let reviewers = Option(
    "reviewers", value: "LIST",
    "who reviews, joined by commas, named as for --agent; default: claude, codex and gemini as "
      + "far as they are there, and the agent of --agent")
  private static let timeout = Option(
    "review-timeout", value: "TIME",
    "for each reviewer's answer, and for the synthesis; default 300s")
  private static let debate = Option(
    "debate", "with --review: let reviewers reply to each other before it is summed up")
  private static let rounds = Option(
    "debate-rounds", value: "N", environment: "CONSENSUS_DEBATE_ROUNDS",
    "how often each replies, 1 (the default) or 2")
  private static let debateTimeout = Option(
    "debate-timeout", value: "TIME", environment: "CONSENSUS_DEBATE_TIMEOUT",
    "for each reply; default 60s")

  static let all = [review, reviewers, timeout, debate, rounds, debateTimeout]

  /// What was asked for; nil for no review.
  ///
  /// - Parameter isResumed: whether the options were read before, and understood: then a reviewer
  ///   that is gone is one that does not answer.
  /// - Throws: ``ToolError`` or `BusError` for what cannot be understood, also where no review was
  ///   asked for, and `notFound` when nobody is there who could review.
  static func read(
    _ arguments: Arguments, environment: [String: String], directory: String,
    isResumed: Bool = false
  ) throws -> FleetReviewOptions? {
    let limit = try positive(arguments, timeout)
    let debate = try readDebate(arguments)
    guard arguments.has(review) else {
      for option in all.dropFirst() where arguments.written(option) != nil {
        throw usageError(
          "--\(option.long) is part of a review", hint: "write --review --\(option.long)")
      }
      return nil
    }
    for option in [rounds, debateTimeout]
    where debate == nil && arguments.written(option) != nil {
      throw usageError(
        "--\(option.long) is part of a debate", hint: "write --debate --\(option.long)")
    }
    var options = FleetReviewOptions(
      agents: try agents(arguments, environment, directory, isResumed), debate: debate)
    if let limit { options.timeLimit = limit }
    return options
  }

  private static func readDebate(
    _ arguments: Arguments
  ) throws(ToolError) -> ConsensusOptions.Debate? {
    // The variables are for debates alone.
    guard arguments.has(debate) else { return nil }
    let possible = ConsensusOptions.Debate.possibleRounds
    let rounds = try arguments.value(rounds, form: "1 or 2") { text in
      Int(text).flatMap { possible.contains($0) ? $0 : nil }
    }
    let limit = try positive(arguments, debateTimeout)
    var debate = ConsensusOptions.Debate()
    debate.rounds = rounds ?? debate.rounds
    debate.timeLimit = limit ?? debate.timeLimit
    return debate
  }

  private static func positive(
    _ arguments: Arguments, _ option: Option
  ) throws(ToolError) -> Duration? {
    guard let limit = try arguments.duration(option) else { return nil }
    guard limit > .zero else {
      throw usageError("--\(option.long) must be more than 0", hint: "write a time such as 2m")
    }
    return limit
  }

  private static func agents(
    _ arguments: Arguments, _ environment: [String: String], _ directory: String,
    _ isResumed: Bool
  ) throws -> [AgentConfiguration] {
    if let list = arguments.text(reviewers) {
      let names = list.split(separator: ",", omittingEmptySubsequences: false).map {
        String($0.trimmed)
      }
      guard !names.isEmpty, !names.contains("") else {
        throw usageError(
          "--reviewers is \(quoted(list))", hint: "write names joined by commas: claude,codex")
      }
      return try names.map { name in
        do {
          return try AgentOptions.configuration(name).onlyReading
        } catch {
          guard isResumed else { throw error }
          return AgentConfiguration(name: name, command: [name])
        }
      }
    }
    let own = try AgentOptions.named(arguments)
    let others = AgentConfiguration.presets.filter { $0.name != own.name }
    let there = ([own] + others).filter { agent in
      (try? Executable.find(
        agent.command.first ?? "", environment: environment, directory: directory)) != nil
    }
    guard !there.isEmpty else {
      throw ToolError(
        .notFound, code: "notFound",
        "there is nobody to review: neither \(own.name) nor "
          + others.map(\.name).joined(separator: " nor "), hint: "name some with --reviewers")
    }
    return there.map(\.onlyReading)
  }
}

/// How what a run has merged is reviewed.
struct FleetReviewOptions: Sendable {
  var agents: [AgentConfiguration]
  var debate: ConsensusOptions.Debate?
  var timeLimit: Duration = .seconds(300)
}
