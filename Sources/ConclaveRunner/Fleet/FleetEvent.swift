/// What happens while a plan is carried out, for who watches.
///
/// Events come one at a time, in their order, but from any thread; who gets them must not block for
/// long, since the work waits meanwhile.
public enum FleetEvent: Sendable {
  /// - Parameters:
  ///   - waves: none when each task begins as soon as it can (``PlanSchedule/eager``).
  ///   - resumed: whether a run goes on that was interrupted or killed.
  case began(run: String, branch: String, tasks: [PlanTask], waves: [[Int]], resumed: Bool)
  /// Waves are counted from 0. A run without waves is one that has no number: nil, here and below.
  case waveBegan(Int?, tasks: [Int], board: FleetBoardPlace?)
  /// A task's own program is about to run in `place`, which exists from now on.
  ///
  /// - Parameter attempt: counted from 1; more after conflicts.
  case taskStarted(TaskPlace, attempt: Int, resumed: Bool)
  /// Where a task is: comes when that changes, and is looked at about twice a second. `gate` is
  /// empty between gates.
  case taskGate(Int, iteration: Int, of: Int, gate: String)
  /// Somebody has said something on the wave's board.
  case finding(sender: String, kind: String, text: String)
  /// The task's program has ended, and its worktree is not worked in any more.
  case taskEnded(Int, TaskEnd, words: String)
  /// The task's work is on the branch, by this commit; empty when others had done the same, and
  /// nothing was left to merge.
  case merged(Int, commit: String)
  /// The task's work could not be merged, and nothing was changed.
  ///
  /// - Parameter willRetry: whether the task is done again from where the branch is now.
  case conflict(Int, TaskConflict, willRetry: Bool)
  /// The task is not begun.
  case skipped(Int, reason: String)
  /// The tests run on everything that is to be merged.
  case gateBegan(wave: Int?)
  /// - Parameter culprit: the task with whose merge the tests fail, if that was found out.
  case gateEnded(wave: Int?, passed: Bool, culprit: Int?, words: String)
  case waveEnded(Int?)
  /// Something that a person should know, one line.
  case note(String)
}

/// How a task's program has ended.
public enum TaskEnd: String, Hashable, Sendable, CaseIterable {
  /// All its gates have passed, and there is something to merge.
  case passed
  case failed
  /// A person is needed.
  case blocked
  /// It can be resumed.
  case interrupted
}

/// Why a task's work cannot be merged as it is.
public enum TaskConflict: Hashable, Sendable {
  /// Others have changed the same places: these files.
  case files([String])
  /// Each passes alone, but together the tests fail: their output, shortened.
  case tests(String)
}

/// Where a wave's board is: what its tasks are given as `--board-dir` and `--board-topic`, and in
/// their environment.
public struct FleetBoardPlace: Hashable, Sendable {
  /// Absolute.
  public var directory: String
  public var topic: String
  /// Variables by which all who take part find it in the same way.
  public var environment: [String: String]

  public init(directory: String, topic: String, environment: [String: String] = [:]) {
    self.directory = directory
    self.topic = topic
    self.environment = environment
  }
}
