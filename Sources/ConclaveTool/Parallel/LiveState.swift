import ConclaveRunner

/// What a run of a plan looks like at a moment: a value, made of the run's events.
struct LiveState: Equatable {
  struct Row: Equatable {
    enum Phase: String, Equatable {
      case waiting
      case working
      case passed
      case failed
      case blocked
      case interrupted
      case merged
      case again
      case skipped

      init(_ end: TaskEnd) {
        self =
          switch end {
          case .passed: .passed
          case .failed: .failed
          case .blocked: .blocked
          case .interrupted: .interrupted
          }
      }
    }

    let task: Int
    let title: String
    var phase = Phase.waiting
    /// The gate that runs, or empty between gates.
    var gate = ""
    var iteration = 0
    var iterations = 0
    /// When it began to be worked on.
    var start: Duration?
    /// When it ended.
    var end: Duration?
    /// The last thing that it has said, or that became of it.
    var news = ""

    /// How long it was worked on by now.
    func age(at now: Duration) -> Duration? {
      start.map { max(.zero, (end ?? now) - $0) }
    }
  }

  private(set) var branch = ""
  private(set) var titles: [Int: String] = [:]
  /// None when each task begins as soon as it can.
  private(set) var waves = 0
  /// The wave that goes on, counted from 0.
  private(set) var wave: Int?
  /// The tasks of the wave.
  private(set) var rows: [Row] = []
  private(set) var merged = 0
  private(set) var lost = 0
  private(set) var isTesting = false

  var tasks: Int { titles.count }
  var working: Int { rows.count { $0.phase == .working } }

  /// - Parameter now: since some moment, by a clock that goes on.
  mutating func take(_ event: FleetEvent, at now: Duration) {
    switch event {
    case .began(_, let branch, let tasks, let waves, _):
      self.branch = branch
      self.waves = waves.count
      titles = Dictionary(tasks.map { ($0.id, $0.title) }) { first, _ in first }
    case .waveBegan(let wave, let tasks, _):
      self.wave = wave
      rows = tasks.map { Row(task: $0, title: titles[$0] ?? "") }
    case .taskStarted(let place, _, _):
      change(place.task) { row in
        row = Row(task: row.task, title: row.title)
        (row.phase, row.start) = (.working, now)
      }
    case .taskGate(let task, let iteration, let limit, let gate):
      change(task) { ($0.iteration, $0.iterations, $0.gate) = (iteration, limit, gate) }
    case .finding(let sender, let kind, let text):
      for row in rows where "task-\(row.task)" == sender {
        change(row.task) { $0.news = "\(kind): \(text)" }
      }
    case .taskEnded(let task, let end, let words):
      if end != .passed, end != .interrupted { lost += 1 }
      change(task) { row in
        (row.phase, row.end, row.gate) = (Row.Phase(end), now, "")
        if end != .passed { row.news = words }
      }
    case .merged(let task, let commit):
      merged += 1
      let news = commit.isEmpty ? "nothing was left to merge" : "as \(commit.prefix(12))"
      change(task) { ($0.phase, $0.news) = (.merged, news) }
    case .conflict(let task, let conflict, let willRetry):
      if !willRetry { lost += 1 }
      change(task) { row in
        (row.phase, row.end) = (willRetry ? .again : .failed, now)
        row.news = LiveState.words(conflict)
      }
    case .skipped(let task, let reason):
      lost += 1
      change(task) { ($0.phase, $0.news) = (.skipped, reason) }
    case .gateBegan: isTesting = true
    case .gateEnded: isTesting = false
    case .waveEnded:
      rows = []
      isTesting = false
    case .note: break
    }
  }

  private mutating func change(_ task: Int, _ body: (inout Row) -> Void) {
    if let index = rows.firstIndex(where: { $0.task == task }) { body(&rows[index]) }
  }

  private static func words(_ conflict: TaskConflict) -> String {
    switch conflict {
    case .files(let files): "conflicts in \(files.joined(separator: ", "))"
    case .tests: "with its merge the tests fail"
    }
  }
}
