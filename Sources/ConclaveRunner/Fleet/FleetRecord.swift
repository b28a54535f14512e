import ConclaveBus

/// One step of a run, as its journal keeps it.
enum FleetRecord: Hashable, Sendable {
  case began(FleetIdentity)
  /// Another process goes on with the run.
  case resumed(process: Int)
  case waveBegan(Int, head: String)
  /// A task's program is about to be started, or to be started again.
  case started(task: Int, attempt: Int, base: String)
  case ended(TaskResult)
  /// The attempt's work is aside, and the next attempt may begin.
  case conflict(ConflictNote)
  /// The branch is about to be moved.
  case publishing(FleetMerge)
  case published(FleetMerge)
  /// It was not moved, and the checkout is as it was.
  case unpublished
  case gate(wave: Int, passed: Bool, culprit: Int?)
  case skipped(task: Int, reason: String)
  /// What has failed is to be tried again.
  case retried(task: Int)
  case waveEnded(Int)
  case runEnded(String)
}

/// What a run is, which never changes.
struct FleetIdentity: Hashable, Sendable {
  var run: String
  var process: Int
  /// The top of the worktree in which it was begun.
  var top: String
  var branch: String
  var base: String
  /// Where the tasks' worktrees are.
  var worktrees: String
  /// The options with which it was begun.
  var arguments: [String]
  var schedule = PlanSchedule.wave
}

/// How an attempt at a task has ended.
struct TaskResult: Hashable, Sendable {
  var task: Int
  var attempt: Int
  var end: TaskEnd
  /// The commit to merge, or empty.
  var tip = ""
  /// Whether its loop has run tests on that.
  var isTested = false
  var iterations = 0
  var seconds = 0.0
  /// In US dollars.
  var cost = 0.0
  var agent = ""
  /// One line, or empty.
  var reason = ""
  /// The branch with work that did not pass, or empty.
  var kept = ""
  /// What has interrupted it, if that would meet other tasks alike. Not in the journal: whoever
  /// goes on finds out.
  var hindrance: BusError.Code?
}

extension TaskResult {
  /// The end of an attempt that an error has ended.
  init(task: Int, attempt: Int, _ error: BusError, _ reason: String) {
    self.init(task: task, attempt: attempt, end: error.isCommon ? .interrupted : .failed)
    hindrance = error.isCommon ? error.code : nil
    self.reason = reason
  }
}

extension BusError {
  /// Whether it is about the machine or somebody's access, and so about all tasks.
  var isCommon: Bool { [.noSpace, .exhausted, .permissionDenied].contains(code) }
}

/// Why an attempt's work could not be merged, and where it is now.
struct ConflictNote: Hashable, Sendable {
  var task: Int
  var attempt: Int
  var files: [String]
  /// The output of tests that fail, or empty.
  var tests: String
  /// The commit at which the attempt began.
  var base: String
  /// The attempt's own last commit.
  var tip: String
  /// The branch `wip/...` that has it.
  var kept: String
}

/// Moving the branch over the commits of some tasks.
struct FleetMerge: Hashable, Sendable {
  struct Part: Hashable, Sendable {
    var task: Int
    var commit: String
  }

  var old: String
  var new: String
  /// In the order of the commits. A task of whose work nothing was left to merge has the commit
  /// before it.
  var parts: [Part]

  /// The tasks, each with the commit that is its own, or empty when nothing was left to merge.
  var own: [Part] {
    zip(parts, [old] + parts.map(\.commit)).map { part, before in
      Part(task: part.task, commit: part.commit == before ? "" : part.commit)
    }
  }
}
