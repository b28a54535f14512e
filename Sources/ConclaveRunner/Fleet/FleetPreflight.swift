public import ConclaveBus

/// Everything that can be known to hinder a run of a plan before anything is changed.
///
/// Blocks, since it asks git; changes nothing. New files that git does not know are no hindrance:
/// the tasks work elsewhere, and the plan is often one of them.
public struct FleetPreflight: Sendable {
  public struct Options: Sendable {
    /// Any directory in the worktree; absolute.
    public var directory: String
    /// Where the tasks' worktrees are to be: absolute, or as seen from the top of the worktree.
    public var worktrees = usualWorktrees
    /// How many of them there may be at the same time.
    public var worktreeCount = 1
    /// Those that will need branches and worktrees; of a run that goes on they are known.
    public var tasks: [PlanTask] = []
    public var beginning = FleetOptions.Beginning.usual
    public var allowsProtected = false
    public var agent = AgentConfiguration.claude
    public var environment = ProcessEnvironment.inherited()

    public init(directory: String) { self.directory = directory }

    var isResume: Bool { if case .resume = beginning { true } else { false } }
  }

  /// In the environment of everything that works on a task of a plan: its name. Such a program must
  /// not carry out a plan itself.
  public static let taskVariable = "CONCLAVE_PARALLEL_TASK"

  public static let usualWorktrees = ".worktrees"

  /// The top of the worktree, without symbolic links.
  public let top: String
  /// The branch that gets the work.
  public let branch: String
  /// The commit that it is at.
  public let head: String
  /// Where the tasks' worktrees are to be, absolute; need not exist.
  public let worktrees: String
  let git: GitCommand
  let agent: Agent

  /// - Throws: the first hindrance.
  public init(_ options: Options, stop: StopSignal? = nil) throws(BusError) {
    let checks = try FleetChecks(options, stop)
    for check in checks.wanted { try checks.run(check) }
    try self.init(checks, options, stop)
  }

  /// All hindrances, as far as they can be seen beside each other; empty when a run can begin.
  public static func hindrances(_ options: Options, stop: StopSignal? = nil) -> [BusError] {
    var found: [BusError] = []
    do throws(BusError) {
      let checks = try FleetChecks(options, stop)
      for check in checks.wanted {
        do throws(BusError) { try checks.run(check) } catch { found.append(error) }
      }
      _ = try FleetPreflight(checks, options, stop)
    } catch {
      found.append(error)
    }
    return found
  }

  private init(_ checks: FleetChecks, _ options: Options, _ stop: StopSignal?) throws(BusError) {
    top = checks.state.top
    branch = checks.state.branch ?? ""
    head = checks.state.head ?? ""
    worktrees = checks.worktrees
    git = checks.git
    agent = try Agent(
      options.agent, environment: options.environment, directory: top, stop: stop)
    try checks.requireCommitted(program: options.agent.command.first ?? "")
  }
}
