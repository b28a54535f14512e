/// One failed attempt, as the state file lists it.
public struct LoopAttempt: Hashable, Sendable {
  /// Counted from 1.
  public var iteration: Int
  public var gate: String
  /// The error's fingerprint.
  public var hash: String
  /// Whether the strategy had been shifted before.
  public var shift = false
  /// The worktree when it had failed, as the name of a git tree.
  public var tree = ""
  /// One line.
  public var summary = ""
  /// What was decided after it, or empty.
  public var verdict = ""
  public var seconds = 0.0

  /// Whether something was done about it: a strategy shift, more context, or an end, after which
  /// somebody has resumed the loop.
  var isAnswered: Bool { !verdict.isEmpty }

  /// The summary of an attempt in which the agent has changed nothing.
  static let nothingChanged = "the agent has changed nothing"

  /// Whether nothing was judged but that the agent has changed nothing.
  private var isIdle: Bool {
    gate == LoopGate.implement.rawValue && summary == LoopAttempt.nothingChanged
  }

  /// What failed last, as `gate: summary`, or an empty string without attempts. That the agent
  /// changes nothing against it is no failure of its own, and said behind it.
  static func lastFailure(_ attempts: [LoopAttempt]) -> String {
    guard let last = attempts.last else { return "" }
    guard last.isIdle, let telling = attempts.last(where: { !$0.isIdle }) else {
      return "\(last.gate): \(last.summary)"
    }
    return "\(telling.gate): \(telling.summary); since then \(nothingChanged)"
  }
}

/// What a loop knows, as `.ralph_state.json` keeps it.
public struct LoopState: Hashable, Sendable {
  public enum Status: String, Hashable, Sendable, CaseIterable {
    case running
    case passed
    /// The iterations, the time or the money are used up, or nothing has helped.
    case failed
    /// A person is needed.
    case blocked
    /// A signal came.
    case interrupted
    /// `ralph stop` was obeyed.
    case stopped
  }

  public var taskID: String
  /// The one that runs or ran last, from 1.
  public var iteration = 1
  public var maxIterations: Int
  /// The last gate that failed, or empty.
  public var lastGate = ""
  /// The exit code of what failed last.
  public var exitCode = 0
  /// The fingerprint of the last error, or empty.
  public var errorHash = ""
  /// When this was written.
  public var timestamp = ""
  /// How many failures in a row had that fingerprint, this one included.
  public var stuckCount = 0
  public var strategyShifts = 0
  public var attempts: [LoopAttempt] = []

  public var status = Status.running
  /// Why it ended, one line, or empty.
  public var reason = ""
  /// Where it is: a gate, or empty between iterations.
  public var gate = ""
  /// The whole task, so that `--resume` needs no `--task`.
  public var task: String
  public var agent: String
  public var branch: String
  /// The commit that it began at.
  public var base: String
  /// What it has committed, or empty.
  public var commit = ""
  /// Whether tests have run, and passed, in the last iteration.
  public var isTested = false
  /// The branch with work that did not pass, or empty.
  public var failedBranch = ""
  public var toldMore = false
  /// What the next prompt says above all else, or empty.
  public var directive = ""
  public var warnings: [String] = []
  public var seconds = 0.0
  /// In US dollars.
  public var cost = 0.0
  public var inputTokens = 0
  public var outputTokens = 0
  public var turns = 0

  init(
    taskID: String, task: String, maxIterations: Int, agent: String, branch: String, base: String
  ) {
    self.taskID = taskID
    self.task = task
    self.maxIterations = maxIterations
    self.agent = agent
    self.branch = branch
    self.base = base
  }
}
