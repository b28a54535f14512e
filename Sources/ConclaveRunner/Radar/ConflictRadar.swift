public import ConclaveBus
import SharedRing

/// Watches the worktrees of tasks that run beside each other, and says on their board what each of
/// them changes, and who changes the same: before they are merged, while it can still be helped.
///
/// It only looks: see `RadarLook`. Every few seconds a thread of its own compares each
/// worktree with the commit that its task began at, and tries to merge the pairs that touch the
/// same. What it finds is said once, and taken back when it is gone (``RadarState``).
///
/// Safe from any thread; ``watch(_:)`` and ``forget(_:)`` do not block.
public final class ConflictRadar: Sendable {
  private struct Watch {
    var tasks: [RadarTask] = []
    /// Of each task the others that were merged while it was watched.
    var merged: [String: Set<String>] = [:]
    /// Counts the boards.
    var board = 0
    var isEnded = false

    mutating func remove(_ name: String) {
      tasks.removeAll { $0.name == name }
      merged[name] = nil
    }
  }

  private struct Core {
    var look: RadarLook
    var state = RadarState()
    /// The board that ``state`` is about.
    var board = 0
    var said: Set<String> = []
  }

  private let folder: RadarFolder
  private let interval: Duration
  private let post: @Sendable ([RadarPost]) -> Void
  private let note: @Sendable (String) -> Void
  private let watched = Lock(Watch())
  /// Held while it looks.
  private let core: Lock<Core>
  private let change = Event()
  private let clock = SuspendingClock()
  private let start: SuspendingClock.Instant

  /// - Parameters:
  ///   - repository: a directory in any worktree of the repository.
  ///   - post: called on the radar's thread; may block for a short while.
  ///   - note: what a person should know, each once.
  /// - Throws: `notFound` outside of a repository; `noSpace`, `permissionDenied`, `system` when its
  ///   folder cannot be made.
  public init(
    repository: String, interval: Duration = .seconds(5),
    environment: [String: String] = ProcessEnvironment.inherited(),
    post: @escaping @Sendable ([RadarPost]) -> Void,
    note: @escaping @Sendable (String) -> Void = { _ in }
  ) throws(BusError) {
    folder = try RadarFolder(try GitCommand(in: repository, environment: environment))
    self.interval = interval
    self.post = post
    self.note = note
    core = Lock(Core(look: RadarLook(folder, environment: environment)))
    start = clock.now
  }

  /// Begins to look, until ``end()``. Call once.
  public func begin() { BlockingThreads.shared.run { self.work() } }

  /// Looks at this task from now on, in the place of one of the same name.
  public func watch(_ task: RadarTask) {
    watched.withLock { watch in
      watch.remove(task.name)
      watch.tasks.append(task)
    }
    change.signal()
  }

  /// Looks at it no more: what was said of it is taken back soon. Its worktree may be removed at
  /// once.
  ///
  /// - Parameter isMerged: whether the branch has its work. Then the others that are watched, and
  ///   were told that it changes the same as they do, still have to fit to that: it is not taken
  ///   back before they are forgotten, too.
  public func forget(_ name: String, isMerged: Bool = false) {
    watched.withLock { watch in
      watch.remove(name)
      guard isMerged else { return }
      for task in watch.tasks { watch.merged[task.name, default: []].insert(name) }
    }
    change.signal()
  }

  /// Looks at nothing any more, and takes nothing back: the board on which it was said is over.
  public func forgetAll() {
    watched.withLock { watch in
      watch.tasks = []
      watch.merged = [:]
      watch.board &+= 1
    }
    change.signal()
  }

  /// Ends the looking. Waits for a look that is under way; nothing is posted afterwards.
  public func end() {
    watched.withLock { $0.isEnded = true }
    change.signal()
    core.withLock { _ in }
    folder.remove()
  }

  /// Looks once, now. Blocks while git works.
  public func look() {
    core.withLock { core in
      guard !watched.withLock({ $0.isEnded }) else { return }
      var picture = core.look.picture(of: watched.withLock { $0.tasks })
      // Who was forgotten meanwhile is not spoken of.
      let watch = watched.withLock { $0 }
      picture.touched = picture.touched.filter { seen in
        watch.tasks.contains { $0.name == seen.key }
      }
      picture.merged = watch.merged
      if core.board != watch.board { (core.state, core.board) = (RadarState(), watch.board) }
      let posts = core.state.posts(for: picture, at: start.duration(to: clock.now))
      if !posts.isEmpty { post(posts) }
      // Once or twice happens while a worktree is made or removed.
      for (name, failure) in core.look.failures
      where failure.count >= 3 && core.said.insert(failure.words).inserted {
        note("radar: cannot look at \(name): \(failure.words)")
      }
    }
  }

  private func work() {
    while !watched.withLock({ $0.isEnded }) {
      // Before it looks: what changes meanwhile must not wait.
      let ticket = change.prepareToWait()
      look()
      guard !watched.withLock({ $0.isEnded }) else { return }
      _ = change.wait(ticket, until: ContinuousClock.now.advanced(by: interval))
    }
  }
}
