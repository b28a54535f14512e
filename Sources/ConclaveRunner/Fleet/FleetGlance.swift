import ConclaveBus

/// What a run of a plan looks like from outside, by the files that it and its loops write. A value.
///
/// Runs nothing, and the run notices nothing of it: reads the run's journal and plan, and the state
/// of each loop that is at work.
public struct FleetGlance: Sendable {
  public struct Task: Sendable {
    /// The number in the plan.
    public let id: Int
    public let title: String
    /// `pending`, `running`, `interrupted`, `passed`, `merged`, `failed`, `blocked` or `skipped`.
    public let status: String
    /// Where its loop is; empty between gates, and while none is at work.
    public let gate: String
    /// The one that runs or ran last, from 1; 0 before.
    public let iteration: Int
    /// 0 while it is not known.
    public let iterations: Int
    /// For how long its loop has been there; nil while none is at work.
    public let seconds: Double?
    /// Why it is not done, or what its last iteration failed with, or empty. One line.
    public let news: String

    public var isRunning: Bool { status == TaskLedger.Status.running.rawValue }
    public var isMerged: Bool { status == TaskLedger.Status.merged.rawValue }
  }

  /// The run's name.
  public let name: String
  /// What everything is merged into.
  public let branch: String
  public let process: Int
  /// In the order of the plan.
  public let tasks: [Task]

  /// The run that is at work in the repository that a bus belongs to; nil when there is none.
  ///
  /// - Parameter bus: the bus directory: `.conclave/bus` of the repository, or one below it.
  public init?(besideBus bus: String) {
    let end = "/\(BusLocation.relativePath)"
    guard let place = "\(bus)/".firstRange(of: "\(end)/") else { return nil }
    let folder = FleetFolder(in: "\(bus[..<place.lowerBound])/.conclave")
    guard FileLock.isHeld(folder.lockFile), let process = FileLock.owner(folder.lockFile),
      let last = try? FleetLast(folder), let identity = last.ledger.identity,
      let plan = try? Plan(DurableFile.read(last.folder.planFile) ?? [])
    else { return nil }
    name = identity.run
    branch = identity.branch
    self.process = process
    let worktrees = FleetSite.absolute(identity.worktrees, in: identity.top)
    tasks = plan.tasks.map { task in
      let known = last.ledger[task.id]
      let place = TaskPlace(
        task, base: known.base, worktrees: worktrees, logs: last.folder.path)
      return Task(task, known, known.status == .running ? LoopState(in: place.worktree) : nil)
    }
  }
}

extension FleetGlance.Task {
  /// - Parameter state: of the loop that is at work on it.
  fileprivate init(_ task: PlanTask, _ known: TaskLedger, _ state: LoopState?) {
    id = task.id
    title = task.title
    status = known.status.rawValue
    gate = state?.gate ?? ""
    iteration = state?.iteration ?? known.iterations
    iterations = state?.maxIterations ?? 0
    seconds = state?.secondsAgo
    news = state?.attempts.last.map { "\($0.gate) failed: \($0.summary)" } ?? known.reason
  }
}

extension LoopState {
  /// nil when no loop has written any that can be read.
  init?(in worktree: String) {
    guard let bytes = (try? DurableFile.read("\(worktree)/\(LoopPlace.stateName)")) ?? nil,
      let state = try? LoopState(json: bytes)
    else { return nil }
    self = state
  }

  /// When it was written, which a loop does whenever it goes on to another gate.
  fileprivate var secondsAgo: Double? {
    Timestamp(rfc3339: timestamp).map { written in
      let (then, now) = (written.nanosecondsSinceEpoch, Timestamp.now().nanosecondsSinceEpoch)
      return Double(now - min(now, then)) / 1e9
    }
  }
}
