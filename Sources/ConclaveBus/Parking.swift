import Synchronization

/// Where the readers of one ``Subscription`` sleep. One of them at a time, the watchman, parks in
/// the source; the others sleep here until he leaves, and then one of them takes his place.
///
/// So a source need not tell sleepers apart, and a wake-up that is meant for one reader cannot be
/// used up by another: only the watchman is in a position to, and he wakes the others when he goes.
///
/// SYNC POINT parking: a sleeper counts itself, then asks `unless`; who makes `unless` true does so
/// first and looks at the count afterwards. Both sequentially consistent (or under one lock), so at
/// least one of them sees the other.
final class Parking: Sendable {
  private let sleepers = Atomic<Int>(0)
  private let hasWatchman = Atomic<Bool>(false)
  private let changed = Event()

  /// Blocks until there may be something in `source`, until `wakeAll`, or until the deadline; not
  /// at all when `isOver` says so. May return early for no reason.
  func park(
    in source: any SubscriptionSource, until deadline: ContinuousClock.Instant?,
    unless isOver: () -> Bool
  ) {
    sleepers.wrappingAdd(1, ordering: .sequentiallyConsistent)
    defer { sleepers.wrappingSubtract(1, ordering: .sequentiallyConsistent) }
    while !becomeWatchman() {
      let ticket = changed.prepareToWait()
      if hasWatchman.load(ordering: .sequentiallyConsistent) {
        if !isOver() { changed.wait(ticket, until: deadline) }
        return
      }
    }
    if !isOver() { source.park(until: deadline) }
    hasWatchman.store(false, ordering: .sequentiallyConsistent)
    changed.signal()
  }

  /// Makes everybody who sleeps here, or is about to, look again. Nearly free when nobody does.
  func wakeAll(of source: any SubscriptionSource) {
    guard sleepers.load(ordering: .sequentiallyConsistent) > 0 else { return }
    source.wake()
    changed.signal()
  }

  private func becomeWatchman() -> Bool {
    hasWatchman.compareExchange(
      expected: false, desired: true, ordering: .sequentiallyConsistent
    ).exchanged
  }
}
