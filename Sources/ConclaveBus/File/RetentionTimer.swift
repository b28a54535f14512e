import Synchronization

/// Has the rules of retention enforced about once a second while somebody publishes: on a thread of
/// its own, since looking at files takes longer than appending to them.
final class RetentionTimer: Sendable {
  /// In nanoseconds.
  static let interval: UInt64 = 1_000_000_000

  /// When to enforce them next, by the wall clock, which publishing reads anyway.
  private let due = Atomic<UInt64>(0)
  private let isRunning = Atomic<Bool>(false)
  private let lastFailure = Atomic<Int>(0)

  /// Call after each append. Some nanoseconds, unless the time has come.
  func noteAppend(at now: Timestamp, _ shared: FileBusShared) {
    let now = now.nanosecondsSinceEpoch
    let due = due.load(ordering: .relaxed)
    // Later than one interval ahead: the clock was set back.
    guard now >= due || due - now > Self.interval else { return }
    start(now, due, shared)
  }

  @inline(never)
  private func start(_ now: UInt64, _ seen: UInt64, _ shared: FileBusShared) {
    let next = now.addingSaturating(Self.interval)
    guard
      due.compareExchange(expected: seen, desired: next, ordering: .relaxed).exchanged,
      !isRunning.exchange(true, ordering: .acquiringAndReleasing)
    else { return }
    BlockingThreads.shared.run { [self] in
      enforce(shared)
      isRunning.store(false, ordering: .releasing)
    }
  }

  private func enforce(_ shared: FileBusShared) {
    guard let rules = shared.options.retention else { return }
    do throws(BusError) {
      _ = try RetentionSweep(shared, rules, now: .now(), mode: .background).run()
      lastFailure.store(0, ordering: .relaxed)
    } catch {
      // A bus that was closed meanwhile has nothing more to do.
      guard error.code != .closed, error.code != .forked else { return }
      let mark = error.hashValue
      guard lastFailure.exchange(mark, ordering: .relaxed) != mark else { return }
      shared.warn(.retentionFailed(reason: error.description))
    }
  }
}
