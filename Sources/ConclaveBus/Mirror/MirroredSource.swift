import SharedRing
import Synchronization

/// A subscription of a ``MirroredBus``.
final class MirroredSource: SubscriptionSource {
  /// Touched only by who holds `turn`.
  private nonisolated(unsafe) let reading: MirroredReading
  private let turn = Lock(())
  private let mark = ProcessMark()
  private let isInterrupted = Atomic<Bool>(false)

  init(
    _ shared: FileBusShared, _ location: RingLocation, _ geometry: RingGeometry,
    prefix: TopicPrefix, options: SubscriptionOptions,
    durable: MirroredReading.DurableBeginning? = nil
  ) throws(BusError) {
    unsafe reading = try MirroredReading(
      shared, location, geometry, prefix: prefix, options: options, durable: durable)
  }

  func drain(
    limit: Int, onGap: (Gap) -> Void, onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) throws(BusError) -> DrainResult {
    try mark.check()
    return try turn.withLock { (_) throws(BusError) in
      unsafe try reading.drain(limit: limit, onGap: onGap, onMessage: onMessage)
    }
  }

  var hasLentNonsense: Bool { turn.withLock { _ in unsafe reading.isLost } }

  func park(until deadline: ContinuousClock.Instant?) {
    if mark.isForked { return }
    let sleep = turn.withLock { _ in unsafe reading.sleep }
    switch sleep {
    case nil: return
    case .ring(let ring): ring.park(untilNanoseconds: monotonicNanoseconds(deadline))
    case .board(let position):
      // Sleeps for 20 ms at most; returning early for no reason is allowed.
      if isInterrupted.exchange(false, ordering: .acquiringAndReleasing) { return }
      unsafe reading.board.wait(for: position, synced: false, nil)
    }
  }

  func wake() {
    if mark.isForked { return }
    isInterrupted.store(true, ordering: .releasing)
    unsafe reading.interrupt()
  }

  func close() {
    if mark.isForked { return }
    turn.withLock { _ in unsafe reading.close() }
    wake()
  }

  func cancel() { turn.withLock { _ in unsafe reading.leave() } }

  var losses: SubscriptionLosses { turn.withLock { _ in unsafe reading.losses } }
}
