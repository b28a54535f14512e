public import ConclaveRunner

/// Everything that a consensus is told.
public struct ConsensusOptions: Sendable {
  /// An agent, and where it works.
  public struct Seat: Sendable {
    public var agent: AgentConfiguration
    /// Absolute. It is asked to change nothing, and can be kept from it only by its own options:
    /// let it be a directory that nobody needs, and no other agent's.
    public var directory: String

    public init(_ agent: AgentConfiguration, directory: String) {
      self.agent = agent
      self.directory = directory
    }
  }

  /// What agents do between their first answers and the chairman's.
  public struct Debate: Hashable, Sendable {
    /// How often each comments on the others.
    public static let possibleRounds = 1...2

    public var rounds = 1
    /// For each comment of each agent.
    public var timeLimit: Duration = .seconds(60)

    public init() {}
  }

  public var question: ConsensusQuestion
  /// Who is asked. The first that has answered is the first to be asked for the synthesis.
  public var seats: [Seat]
  /// A directory for files with their prompts; absolute.
  public var scratch: String
  public var environment: [String: String]
  /// Names this consensus in the topic of its debate.
  public var session: String
  /// How many answers of different agents it takes to speak of a consensus; at least 2. What one
  /// agent says twice is one of them.
  public var quorum = 2
  /// nil for none.
  public var debate: Debate?
  /// For each first answer, and for the synthesis of each agent that is asked for one.
  public var timeLimit: Duration = .seconds(300)

  public init(
    _ question: ConsensusQuestion, seats: [Seat], scratch: String,
    environment: [String: String], session: String
  ) {
    self.question = question
    self.seats = seats
    self.scratch = scratch
    self.environment = environment
    self.session = session
  }
}
