public import ConclaveBus
import Glibc
import SharedRing

/// Carries out a plan: its waves one after the other, the tasks of a wave at the same time, each by
/// a loop of its own in a worktree of its own, and merges what has passed. With
/// ``PlanSchedule/eager`` all tasks are one wave, in which each begins as soon as it can.
///
/// The branch only ever moves over commits whose tests have passed, and the checkout moves with it
/// in one step or not at all. Whatever ends this process, at whatever moment, another one can go
/// on. ``run(_:stop:onEvent:)`` blocks the calling thread; call it on one of your own.
public struct FleetRun {
  let options: FleetOptions
  let stop: StopSignal
  let site: FleetSite
  let folder: FleetRunFolder
  let say: @Sendable (FleetEvent) -> Void
  private let journal: FleetJournal
  /// Held as long as the run lives.
  private let lock: FileLock
  private(set) var ledger: FleetLedger
  /// The tasks that this process has begun.
  var begun: Set<Int> = []
  /// What has interrupted a task and would interrupt the others.
  var hindrance: BusError?
  let start = SuspendingClock().now

  var graph: PlanGraph { options.graph }
  var schedule: PlanSchedule { ledger.identity?.schedule ?? .wave }
  /// The tasks that share a board and end together.
  var waves: [[Int]] { graph.waves(by: schedule) }

  /// - Parameters:
  ///   - stop: ends the run, with everything kept that is needed to go on.
  ///   - onEvent: see ``FleetEvent``.
  /// - Throws: what makes it impossible to begin, with nothing changed: `notFound`, `unsupported`,
  ///   `busy` while another run is at work or one is not over, `corrupt`, `permissionDenied`;
  ///   later only what makes it impossible to go on, such as a full disk.
  public static func run(
    _ options: FleetOptions, stop: StopSignal = StopSignal(),
    onEvent: @escaping @Sendable (FleetEvent) -> Void = { _ in }
  ) throws(BusError) -> FleetOutcome {
    let gate = Lock(())
    let say: @Sendable (FleetEvent) -> Void = { event in gate.withLock { _ in onEvent(event) } }
    var run = FleetRun(options, stop, try FleetStart(options, say), say)
    do throws(BusError) {
      let outcome = try run.run()
      let place = FleetReviewPlace(outcome, run)
      // The repository is the run's as long as its lock is.
      withExtendedLifetime(run.lock) { options.review?(place) }
      return outcome
    } catch {
      // What still runs must not outlive the run that it belongs to.
      stop.stop(.terminate)
      run.options.board.end()
      throw error
    }
  }

  private init(
    _ options: FleetOptions, _ stop: StopSignal, _ start: FleetStart,
    _ say: @escaping @Sendable (FleetEvent) -> Void
  ) {
    self.options = options
    self.stop = stop
    self.say = say
    site = start.site
    folder = start.folder
    journal = start.journal
    lock = start.lock
    ledger = start.ledger
  }

  private mutating func run() throws(BusError) -> FleetOutcome {
    say(
      .began(
        run: folder.name.text, branch: site.branch, tasks: graph.plan.tasks,
        waves: schedule == .wave ? waves : [], resumed: ledger.processes > 1))
    try recover()
    for (wave, ids) in waves.enumerated() {
      if let end = try runWave(wave, ids) { return try finish(end) }
    }
    return try finish(nil)
  }

  /// One step is done, or about to be done: it is on the disk when this returns.
  mutating func record(_ record: FleetRecord) throws(BusError) {
    try journal.append(record)
    ledger.apply(record)
  }

  func place(_ task: PlanTask, base: String) -> TaskPlace {
    TaskPlace(task, base: base, worktrees: site.worktrees, logs: folder.path)
  }

  /// Where a task is or was worked on last.
  func place(of id: Int) -> TaskPlace? {
    graph.task(id).map { place($0, base: ledger[id].base) }
  }
}
