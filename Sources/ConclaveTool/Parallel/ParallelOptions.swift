import ConclaveRunner
import Glibc

/// What `parallel-run` takes.
struct ParallelOptions {
  /// How a plan is drawn instead of told.
  enum Drawing: String, CaseIterable {
    /// For Graphviz.
    case dot
    case text
  }

  static let plan = Option(
    "plan", value: "FILE",
    "the plan, in Markdown; - reads standard input; with --resume the one that was begun")
  static let dryRun = Option(
    "dry-run", "show waves, order and what hinders the plan; change nothing")
  static let graph = Option(
    "graph", value: "dot|text", "with --dry-run: draw who waits for whom, as Graphviz or as text")
  static let demo = Option(
    "demo", "try it: two tasks and a script as the agent, in a new repository in TMPDIR")
  private static let assumeIndependent = Option(
    "assume-independent", "let tasks that name no dependencies depend on nothing")
  private static let worktreeDirectory = Option(
    "worktree-dir", value: "DIR", environment: "PARALLEL_WORKTREE_DIR",
    "where each task gets a worktree; default .worktrees")
  static let schedule = Option(
    "schedule", value: "wave|eager", environment: "PARALLEL_SCHEDULE",
    "when tasks begin: with their wave (the default), or each as soon as all that it waits for "
      + "is merged; a run goes on as it was begun")
  private static let allowProtected = Option("allow-protected", "work on main or master, too")

  static let all =
    [
      plan, dryRun, graph, demo, schedule, assumeIndependent, worktreeDirectory, allowProtected,
    ]
    + ParallelRunOptions.all

  /// What is not asked again when a run goes on.
  static let kept = [assumeIndependent, worktreeDirectory]

  /// What the plan is called in what is said about it.
  let planName: String
  let planBytes: [UInt8]
  let drawing: Drawing?
  let assumesIndependent: Bool
  /// nil for a run that goes on, unless it stands on the command line.
  let schedule: PlanSchedule?
  /// What can be asked without knowing the plan.
  let preflight: FleetPreflight.Options

  /// - Parameter plan: the one that goes on, unless another one is named.
  /// - Throws: ``ToolError`` or `BusError` for what cannot be understood.
  init(_ arguments: Arguments, plan begun: [UInt8]? = nil) throws {
    drawing = try arguments.word(ParallelOptions.graph, of: Drawing.self)
    assumesIndependent = arguments.has(ParallelOptions.assumeIndependent)
    // A variable is for runs that begin.
    let isNamed =
      !arguments.has(ParallelRunOptions.resume)
      || arguments.written(ParallelOptions.schedule) != nil
    schedule =
      isNamed ? try arguments.word(ParallelOptions.schedule, of: PlanSchedule.self) : nil
    var preflight = FleetPreflight.Options(directory: try RalphOptions.workingDirectory())
    preflight.worktrees =
      arguments.text(ParallelOptions.worktreeDirectory) ?? FleetPreflight.usualWorktrees
    preflight.allowsProtected = arguments.has(ParallelOptions.allowProtected)
    preflight.agent = try AgentOptions.read(arguments)
    self.preflight = preflight
    guard let path = arguments.text(ParallelOptions.plan) else {
      guard let begun else {
        throw arguments.has(ParallelRunOptions.resume)
          ? ToolError(
            .notFound, code: "notFound", "no plan was begun in this repository",
            hint: "begin one with --plan")
          : usageError("option --plan is missing", hint: "name the file that says what to do")
      }
      (planName, planBytes) = ("the plan", begun)
      return
    }
    planName = path == "-" ? "standard input" : path
    planBytes = try ParallelOptions.bytes(path)
  }

  func preflight(
    for graph: PlanGraph, _ beginning: FleetOptions.Beginning
  ) -> FleetPreflight.Options {
    var options = preflight
    options.beginning = beginning
    options.tasks = graph.plan.tasks
    // They stay until their wave is merged; most of those of a run that goes on are there.
    if case .resume = beginning { return options }
    options.worktreeCount = graph.waves.map(\.count).max() ?? 1
    return options
  }

  private static func bytes(_ path: String) throws -> [UInt8] {
    if path == "-" {
      var input = Input()
      return try input.readAll()
    }
    if let bytes = try TaskText.contents(path, limit: Plan.sizeLimit) { return bytes }
    guard unsafe access(path, F_OK) != 0 else {
      throw usageError("\(quoted(path)) is no regular file", hint: "name the plan's file, or -")
    }
    throw ToolError(
      .notFound, code: "notFound", "there is no file \(quoted(path))", hint: "check the path")
  }
}
