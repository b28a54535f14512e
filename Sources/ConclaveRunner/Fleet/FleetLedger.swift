/// What is known of each task of a run: the sum of its journal. A value; records are applied in
/// their order.
struct FleetLedger: Sendable {
  private(set) var identity: FleetIdentity?
  private(set) var tasks: [Int: TaskLedger] = [:]
  /// A move of the branch of which is not known whether it happened.
  private(set) var publishing: FleetMerge?
  /// The waves that are over.
  private(set) var endedWaves: Set<Int> = []
  /// Whether what each wave has merged last passes the tests.
  private(set) var gates: [Int: Bool] = [:]
  /// How the run ended last; nil while it goes on, or when it was killed.
  private(set) var end: String?
  /// How many processes have worked on it.
  private(set) var processes = 0
  /// The last one of them.
  private(set) var process: Int?

  init() {}

  init(_ records: [FleetRecord]) { for record in records { apply(record) } }

  subscript(task: Int) -> TaskLedger { tasks[task] ?? TaskLedger() }

  mutating func apply(_ record: FleetRecord) {
    switch record {
    case .began(let identity):
      self.identity = identity
      processes = 1
      process = identity.process
    case .resumed(let process):
      processes &+= 1
      self.process = process
      end = nil
    case .waveBegan(let wave, _): endedWaves.remove(wave)
    case .started(let task, let attempt, let base):
      tasks[task, default: TaskLedger()].start(attempt, base)
    case .ended(let result): tasks[result.task, default: TaskLedger()].end(result)
    case .conflict(let note): tasks[note.task, default: TaskLedger()].conflict(note)
    case .publishing(let merge): publishing = merge
    case .published(let merge):
      publishing = nil
      for part in merge.own { tasks[part.task, default: TaskLedger()].merge(part.commit) }
    case .unpublished: publishing = nil
    // What fails with a task's merge is not merged.
    case .gate(let wave, let passed, let culprit): gates[wave] = passed || culprit != nil
    case .skipped(let task, let reason):
      tasks[task, default: TaskLedger()].status = .skipped
      tasks[task, default: TaskLedger()].reason = reason
    case .retried(let task):
      tasks[task, default: TaskLedger()].retry()
      endedWaves = []
    case .waveEnded(let wave): endedWaves.insert(wave)
    case .runEnded(let end): self.end = end
    }
  }
}

/// What is known of one task.
struct TaskLedger: Hashable, Sendable {
  enum Status: String, Hashable, Sendable, CaseIterable {
    case pending
    /// Its program was started, and it is not known how it ended.
    case running
    case interrupted
    /// Its work is on its branch, and not merged.
    case passed
    case merged
    case failed
    case blocked
    case skipped
  }

  var status = Status.pending
  /// The attempt that runs or ran last, from 1; 0 before.
  private(set) var attempt = 0
  /// Where its branch began.
  private(set) var base = ""
  /// What is to be merged.
  private(set) var tip = ""
  /// Whether its own loop has run tests on that.
  private(set) var isTested = false
  /// What was merged; empty when nothing was left to merge.
  private(set) var commit = ""
  private(set) var agent = ""
  var reason = ""
  /// Branches `wip/...`.
  private(set) var kept: [String] = []
  /// Why the last attempt could not be merged; nil when nothing stands in the way.
  private(set) var conflict: ConflictNote?
  /// How often in a row the work could not be merged.
  private(set) var conflicts = 0
  private var current = Expense()
  private var past = Expense()

  private struct Expense: Hashable, Sendable {
    var iterations = 0
    var seconds = 0.0
    var cost = 0.0
  }

  /// Of all attempts.
  var iterations: Int { past.iterations &+ current.iterations }
  var seconds: Double { past.seconds + current.seconds }
  var cost: Double { past.cost + current.cost }

  /// Whether nothing is to be done for it any more.
  var isSettled: Bool { [.merged, .failed, .blocked, .skipped].contains(status) }
  /// Whether what depends on it cannot be done.
  var isLost: Bool { [.failed, .blocked, .skipped].contains(status) }
  /// Commits and branches that stay whatever becomes of its own branch, as far as nobody has
  /// removed them: what they have is not lost.
  var safe: [String] {
    let merged = status == .merged ? tip : conflict?.tip ?? ""
    return kept.map { "refs/heads/\($0)" } + (merged.isEmpty ? [] : [merged])
  }
  /// Whether its branch and its worktree may hold work.
  var mayHaveWorktree: Bool { [.running, .interrupted, .passed].contains(status) }

  /// The end of the attempt that has passed already, and all the same is not done.
  func failure(_ task: Int, _ reason: String) -> TaskResult {
    var result = TaskResult(task: task, attempt: attempt, end: .failed)
    result.iterations = current.iterations
    result.seconds = current.seconds
    result.cost = current.cost
    result.reason = reason
    return result
  }

  mutating func start(_ attempt: Int, _ base: String) {
    if attempt != self.attempt {
      past.iterations &+= current.iterations
      past.seconds += current.seconds
      past.cost += current.cost
      current = Expense()
    }
    self.attempt = attempt
    self.base = base
    status = .running
    reason = ""
  }

  mutating func end(_ result: TaskResult) {
    // A loop that is resumed counts on from what it had.
    current = Expense(
      iterations: result.iterations, seconds: result.seconds, cost: result.cost)
    status =
      switch result.end {
      case .passed: .passed
      case .failed: .failed
      case .blocked: .blocked
      case .interrupted: .interrupted
      }
    tip = result.tip
    isTested = result.isTested
    if !result.agent.isEmpty { agent = result.agent }
    reason = result.reason
    if !result.kept.isEmpty { kept.append(result.kept) }
  }

  /// - Parameter commit: empty when nothing was left to merge.
  mutating func merge(_ commit: String) {
    status = .merged
    self.commit = commit
    reason = commit.isEmpty ? "nothing was left to merge" : ""
  }

  mutating func conflict(_ note: ConflictNote) {
    status = .pending
    conflict = note
    conflicts &+= 1
    if !note.kept.isEmpty { kept.append(note.kept) }
  }

  mutating func retry() {
    status = .pending
    reason = ""
    conflict = nil
    conflicts = 0
  }
}
