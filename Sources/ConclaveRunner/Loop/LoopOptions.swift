/// Everything that a loop is told.
public struct LoopOptions: Sendable {
  public struct TimeLimits: Hashable, Sendable {
    public var implement: Duration = .seconds(1200)
    public var tests: Duration = .seconds(600)
    public var spec: Duration = .seconds(300)
    public var quality: Duration = .seconds(180)
    public var global: Duration = .seconds(3600)
    /// How long a program has, once asked to end, before it is killed.
    public var grace: Duration = .seconds(5)

    public init() {}
  }

  public enum Beginning: Hashable, Sendable {
    /// Begins anew, unless a loop has left unfinished work.
    case usual
    case fresh
    case resume
  }

  /// The task's whole text; may be empty with ``Beginning/resume``.
  public var task: String
  /// nil: made from the branch.
  public var taskID: String?
  /// nil: ``usualIterations``, or what the loop that is resumed had.
  public var maxIterations: Int?
  public var timeLimits = TimeLimits()
  public var stuckThreshold = 3
  public var skipsSpec = false
  public var agent = AgentConfiguration.claude
  /// A line of shell instead of what is detected.
  public var testCommand: String?
  /// A line of shell for the quality gate, which is skipped without one.
  public var lintCommand: String?
  public var requiresTests = false
  public var beginning = Beginning.usual
  /// In US dollars.
  public var maxCost: Double?
  /// Where failed work is pushed to, or nil.
  public var pushRemote: String?
  public var allowsProtected = false
  public var allowsDirty = false
  public var commits = true
  public var runsHooks = true
  public var board = LoopBoard.none
  /// Any directory in the worktree; absolute.
  public var directory: String
  public var environment = ProcessEnvironment.inherited()

  public static let usualIterations = 5

  public init(task: String, directory: String) {
    self.task = task
    self.directory = directory
  }
}

/// What a loop says while it works.
public enum LoopEvent: Sendable {
  case began(taskID: String, iteration: Int, of: Int, resumed: Bool)
  case iteration(Int, of: Int)
  case gateBegan(LoopGate, iteration: Int)
  /// Comes about once a second and often, for a line that changes.
  case gateGoesOn(LoopGate, elapsed: Duration)
  /// 60 % of the gate's time are over.
  case gateIsLong(LoopGate, elapsed: Duration, limit: Duration)
  case gateEnded(LoopGate, words: String, reason: String)
  case note(String)
}
