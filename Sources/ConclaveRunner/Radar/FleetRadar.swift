import ConclaveBus
import SharedRing

/// Has a radar follow a run of a plan: give it every event of the run.
///
/// Safe from any thread.
public final class FleetRadar: Sendable {
  private let directory: String
  private let interval: Duration
  private let environment: [String: String]
  private let post: @Sendable ([RadarPost]) -> Void
  private let note: @Sendable (String) -> Void
  private let radar = Lock<ConflictRadar?>(nil)

  /// - Parameters:
  ///   - directory: in any worktree of the repository.
  ///   - post: as `note` called on the radar's thread; see ``ConflictRadar``.
  public init(
    directory: String, interval: Duration = .seconds(5),
    environment: [String: String] = ProcessEnvironment.inherited(),
    post: @escaping @Sendable ([RadarPost]) -> Void,
    note: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.directory = directory
    self.interval = interval
    self.environment = environment
    self.post = post
    self.note = note
  }

  /// Takes note of what happens. Does not block but for one git command at the beginning.
  public func follow(_ event: FleetEvent) {
    switch event {
    // Not before: only now no other run is at work in this repository.
    case .began: begin()
    case .taskStarted(let place, _, _): current?.watch(RadarTask(place))
    // What has passed is still to be merged, and can collide with what runs.
    case .taskEnded(_, .passed, _): break
    case .merged(let task, _): current?.forget(TaskPlace.name(task), isMerged: true)
    case .taskEnded(let task, _, _), .conflict(let task, _, _):
      current?.forget(TaskPlace.name(task))
    case .waveEnded: current?.forgetAll()
    case .waveBegan, .taskGate, .finding, .skipped, .gateBegan, .gateEnded, .note: break
    }
  }

  /// After the run. Waits for a look that is under way; nothing is posted afterwards.
  public func end() { radar.withLock { $0.take() }?.end() }

  private var current: ConflictRadar? { radar.withLock { $0 } }

  private func begin() {
    do {
      let new = try ConflictRadar(
        repository: directory, interval: interval, environment: environment, post: post, note: note)
      radar.withLock { $0 = new }
      new.begin()
    } catch { note("radar: \(error.message)") }
  }
}
