public import ConclaveBus
import Glibc

/// How a run of a plan ended.
public struct FleetOutcome: Sendable {
  public enum End: Hashable, Sendable {
    /// Every task is done, and the branch has it.
    case completed
    /// Some are not.
    case failed
    case interrupted
    /// Nobody is logged in to the agent, or the disk is full: no task could go on. The run can.
    case hindered(BusError)
    /// A task was stopped by somebody; the run can go on.
    case stopped
    /// The branch could not be moved, since something that is not committed is in the way: git's
    /// words. The run can go on.
    case obstructed(String)
  }

  /// What became of one task.
  public struct Task: Hashable, Sendable {
    public var id: Int
    public var title: String
    /// `merged`, `failed`, `blocked`, `skipped`, `interrupted`, `passed` (but not merged) or
    /// `pending`.
    public var status: String
    /// 0 in a run without waves.
    public var wave: Int
    public var attempts: Int
    public var iterations: Int
    public var seconds: Double
    /// In US dollars.
    public var cost: Double
    public var reason: String
    /// Where its work is, unless it is merged: empty, `task/...`, or `wip/...`.
    public var branch: String
    /// What the branch has of it; empty when it is not merged, or when nothing was left to merge.
    public var commit: String
    /// Absolute; empty when it was never begun.
    public var log: String
  }

  public var end: End
  public var run: String
  public var schedule: PlanSchedule
  public var branch: String
  /// Where the branch was when the run began, and where it is now.
  public var base: String
  public var head: String
  /// In plan order.
  public var tasks: [Task]
  /// The waves whose merged work does not pass the tests; 0 stands for a run without waves.
  public var brokenWaves: [Int]
  /// Of this process.
  public var seconds: Double
  public var journal: String

  /// In US dollars.
  public var cost: Double { tasks.reduce(0) { $0 + $1.cost } }

  /// One line for people.
  public var sentence: String {
    let done = tasks.filter { $0.status == "merged" }.count
    let verb = tasks.count == 1 ? "is" : "are"
    let count = "\(done) of \(counted(tasks.count, "task")) \(verb) merged into \(branch)"
    switch end {
    case .completed: return count
    case .failed:
      let broken = brokenWaves.isEmpty ? "" : "; the tests fail on the merged work"
      return done == tasks.count ? count + broken : "\(count), the others are not done\(broken)"
    case .interrupted: return "interrupted: \(count); go on with --resume"
    case .hindered(let error):
      return "cannot go on: \(error); \(count), and --resume does the others"
    case .stopped: return "a task was stopped: \(count); go on with --resume"
    case .obstructed(let words):
      return
        "cannot move \(branch): \(words.split(whereSeparator: \.isNewline).joined(separator: " "))"
        + "; commit or move away what is in the way, and go on with --resume"
    }
  }
}

extension FleetRun {
  /// Writes down how it ended.
  mutating func finish(_ end: FleetOutcome.End?) throws(BusError) -> FleetOutcome {
    // Only when nothing is in it.
    unsafe rmdir(site.worktrees)
    let isDone = graph.plan.tasks.allSatisfy { ledger[$0.id].status == .merged }
    let broken = ledger.gates.filter { !$0.value }.keys.sorted()
    let usual: FleetOutcome.End = isDone && broken.isEmpty ? .completed : .failed
    let end = hindrance.map(FleetOutcome.End.hindered) ?? end ?? usual
    // Of commits that were cut off by the end.
    for line in try site.refLocks(graph.plan).removeOwn() { say(.note(line)) }
    try record(.runEnded(end.word))
    return try outcome(end, broken)
  }

  private func outcome(
    _ end: FleetOutcome.End, _ broken: [Int]
  ) throws(BusError) -> FleetOutcome {
    var tasks: [FleetOutcome.Task] = []
    for (wave, ids) in waves.enumerated() {
      for id in ids { if let task = graph.task(id) { tasks.append(summary(task, wave)) } }
    }
    let order = Dictionary(
      graph.plan.tasks.enumerated().map { ($0.element.id, $0.offset) }
    ) { first, _ in first }
    tasks.sort { (order[$0.id] ?? 0) < (order[$1.id] ?? 0) }
    return FleetOutcome(
      end: end, run: folder.name.text, schedule: schedule, branch: site.branch,
      base: ledger.identity?.base ?? "", head: try site.advance.head, tasks: tasks,
      brokenWaves: broken,
      seconds: start.duration(to: SuspendingClock().now) / .seconds(1),
      journal: folder.journalFile)
  }

  private func summary(_ task: PlanTask, _ wave: Int) -> FleetOutcome.Task {
    let entry = ledger[task.id]
    let branch = entry.mayHaveWorktree ? task.branchName : entry.kept.last ?? ""
    return FleetOutcome.Task(
      id: task.id, title: task.title, status: entry.status.rawValue, wave: wave,
      attempts: entry.attempt, iterations: entry.iterations, seconds: entry.seconds,
      cost: entry.cost, reason: entry.reason, branch: entry.status == .merged ? "" : branch,
      commit: entry.commit,
      log: entry.attempt > 0 ? place(task, base: entry.base).log : "")
  }
}

extension FleetOutcome.End {
  /// What the journal says.
  var word: String {
    switch self {
    case .completed: "completed"
    case .failed: "failed"
    case .interrupted: "interrupted"
    case .hindered: "hindered"
    case .stopped: "stopped"
    case .obstructed: "obstructed"
    }
  }
}
