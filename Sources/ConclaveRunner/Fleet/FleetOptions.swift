/// Everything that a run of a plan is told.
public struct FleetOptions: Sendable {
  public enum Beginning: Hashable, Sendable {
    /// Begins a new run, unless another one is not over.
    case usual
    /// Begins a new run. What another one has left is kept on branches `wip/...` and cleared away.
    case fresh
    /// Goes on with the run that began last.
    ///
    /// - Parameter retry: whether tasks that have failed are tried again.
    case resume(retry: Bool)
  }

  /// A line of shell, what the project's files suggest, or nothing.
  public enum Line: Hashable, Sendable {
    case detected
    case command(String)
    case nothing
  }

  /// The plan, in its order.
  public var graph: PlanGraph
  /// The plan as it was read, kept with the run's journal.
  public var planText: [UInt8]
  /// Any directory in the worktree that has the branch checked out; absolute.
  public var directory: String
  public var environment = ProcessEnvironment.inherited()
  public var beginning = Beginning.usual
  /// When tasks begin; nil for by waves, and for a run that goes on as it was begun: it cannot be
  /// changed.
  public var schedule: PlanSchedule?
  /// How many tasks are worked on at the same time.
  public var maxConcurrent = 3
  /// How often a task is done again whose work cannot be merged.
  public var maxReruns = 2
  /// Where the worktrees of tasks are made: absolute, or below the top of the worktree.
  public var worktreeFolder = ".worktrees"
  /// What prepares a new worktree before its agent begins.
  public var setup = Line.detected
  /// What must pass on everything that is to be merged.
  public var gate = Line.detected
  public var timeLimits = TimeLimits()
  /// Whether a task that changes nothing, because a reviewer agrees that nothing is to be changed,
  /// is done. Otherwise it has failed.
  public var allowsUnchanged = false
  /// The program that is called as `ralph-run`; by default this one.
  public var program = "/proc/self/exe"
  /// What every `ralph-run` is given besides what is this run's business.
  public var loopArguments: [String] = []
  /// The options that this run was begun with, kept with its journal.
  public var arguments: [String] = []
  public var board = FleetBoard.none
  /// Looks at what was merged, once the run has ended. Blocks the run's thread; whatever it comes
  /// to, what is merged stays merged.
  public var review: (@Sendable (FleetReviewPlace) -> Void)?

  public struct TimeLimits: Hashable, Sendable {
    /// For each step that prepares a worktree.
    public var setup: Duration = .seconds(900)
    /// For the tests of the merged work.
    public var gate: Duration = .seconds(600)
    /// How long a loop has, once asked to end, before it is killed: longer than it gives itself to
    /// end what it has started.
    public var loopGrace: Duration = .seconds(75)
    /// The same for what prepares and tests.
    public var grace: Duration = .seconds(5)

    public init() {}
  }

  public init(graph: PlanGraph, planText: [UInt8], directory: String) {
    self.graph = graph
    self.planText = planText
    self.directory = directory
  }
}
