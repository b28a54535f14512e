import SharedRing
import Synchronization

/// A stream of deliveries, begun with ``MessageBus/subscribe(to:options:)``.
///
/// Three ways to read it, which may be mixed; each delivery goes to exactly one reader:
/// - as an `AsyncSequence` of ``Delivery``;
/// - from a plain thread: ``poll()``, ``receive(timeout:)``;
/// - without allocating: ``drain(limit:onGap:onMessage:)`` lends the messages.
///
/// The first two fetch up to 64 deliveries ahead; what was fetched does not count as unread any
/// more where a transport limits that.
///
/// Safe from any thread. The stream ends after `close()` of its bus, once what it holds is read, or
/// at once with ``cancel()``.
public final class Subscription: Sendable {
  public let prefix: TopicPrefix
  let source: any SubscriptionSource
  private let reader = Lock(SubscriptionReader())
  private let parking = Parking()
  private let cancelled = Atomic<Bool>(false)

  /// For transports.
  public init(prefix: TopicPrefix, source: any SubscriptionSource) {
    self.prefix = prefix
    self.source = source
  }

  deinit { source.cancel() }

  /// The next delivery if there is one now; nil when there is nothing yet, or nothing ever
  /// (``isEnded``).
  ///
  /// - Throws: `corrupt`, `system`, once, after everything before the damage was delivered; the
  ///   subscription has then ended.
  public func poll() throws(BusError) -> Delivery? {
    try read { (reader) throws(BusError) in try reader.next(from: source) }
  }

  /// The next delivery, waiting for it at most `timeout` (nil: as long as it takes). Blocks the
  /// calling thread. nil on time-out or at the end (``isEnded``).
  public func receive(timeout: Duration? = nil) throws(BusError) -> Delivery? {
    let deadline = timeout.map { ContinuousClock.now.advanced(by: $0) }
    while true {
      if let delivery = try poll() { return delivery }
      if isEnded { return nil }
      if let deadline, ContinuousClock.now >= deadline { return nil }
      parking.park(in: source, until: deadline, unless: { hasNews })
    }
  }

  /// Lends up to `limit` deliveries that are ready now, in order, without allocating; returns how
  /// many.
  ///
  /// The closures must not call methods of this subscription, nor `unsubscribe` for its prefix.
  /// On a bus in shared memory with back pressure a payload, a type and a key are lent where they
  /// lie: another process that may write there and does not keep to the protocol can change them
  /// meanwhile. Who decides by what it reads, and then uses it, copies it first.
  /// O(`limit`) at most.
  /// - Throws: as ``poll()``; what was lent before the damage was delivered.
  @discardableResult
  public func drain(
    limit: Int = 256, onGap: (Gap) -> Void = { _ in },
    onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) throws(BusError) -> Int {
    try read { (reader) throws(BusError) in
      try reader.drain(source, limit: limit, onGap: onGap, onMessage: onMessage)
    } ?? 0
  }

  /// Blocks the calling thread until there may be something to read, or until `timeout` (nil: as
  /// long as it takes). For use with ``drain(limit:onGap:onMessage:)``; may return early for no
  /// reason.
  public func wait(timeout: Duration? = nil) {
    let deadline = timeout.map { ContinuousClock.now.advanced(by: $0) }
    parking.park(in: source, until: deadline, unless: { hasNews })
  }

  /// As ``wait(timeout:)``, for an owner who keeps deliveries itself: does not sleep when `isOver`
  /// says so, after ``wakeWaiting()`` or before.
  func wait(until deadline: ContinuousClock.Instant, unless isOver: () -> Bool) {
    parking.park(in: source, until: deadline, unless: { isOver() || hasNews })
  }

  /// Makes everybody who waits look again.
  func wakeWaiting() { parking.wakeAll(of: source) }

  /// Whether nothing will ever be delivered again.
  public var isEnded: Bool { isCancelled || reader.withLock { $0.isExhausted } }

  /// Ends this subscription at once: after it returned nothing more is delivered, and who waits for
  /// a delivery is told the end. Waits for a ``drain(limit:onGap:onMessage:)`` that is under way on
  /// another thread. Idempotent.
  public func cancel() {
    cancelled.store(true, ordering: .sequentiallyConsistent)
    parking.wakeAll(of: source)
    reader.withLock { reader in
      reader.discard()
      source.cancel()
    }
  }

  /// What this subscription has missed so far.
  public var losses: SubscriptionLosses { source.losses }

  // MARK: One reader at a time

  private var isCancelled: Bool { cancelled.load(ordering: .sequentiallyConsistent) }

  /// Whether a reader that is about to sleep should rather look again. Only what the source does
  /// not know: deliveries in the source end a park by themselves.
  private var hasNews: Bool { isCancelled || reader.withLock { $0.hasReady || $0.ended } }

  /// Runs `body` as the one reader; nil when cancelled. Whoever sleeps while there are fetched
  /// deliveries left, or the end has been seen, would sleep for ever, since the source knows
  /// nothing of either.
  private func read<R>(
    _ body: (inout SubscriptionReader) throws(BusError) -> R?
  ) throws(BusError) -> R? {
    var leavesNews = false
    defer { if leavesNews { parking.wakeAll(of: source) } }
    return try reader.withLock { (reader) throws(BusError) -> R? in
      if isCancelled { return nil }
      defer { leavesNews = reader.hasReady || reader.ended }
      return try body(&reader)
    }
  }
}

extension Subscription: AsyncSequence {
  public typealias Element = Delivery
  public typealias Failure = BusError

  public struct AsyncIterator: AsyncIteratorProtocol {
    let subscription: Subscription

    /// The next delivery, or nil at the end or when the task is cancelled. Blocks no thread of the
    /// cooperative pool: the wait happens on a thread of its own.
    ///
    /// A cancelled task takes nothing, not even what is ready; the subscription itself goes on.
    public mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(BusError) -> Delivery? {
      while true {
        if Task.isCancelled { return nil }
        if let delivery = try subscription.poll() { return delivery }
        if subscription.isEnded { return nil }
        await subscription.readable()
      }
    }

    public mutating func next() async throws(BusError) -> Delivery? {
      try await next(isolation: nil)
    }
  }

  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(subscription: self) }

  /// Waits on a thread of its own until there may be something to read or the task is cancelled.
  private func readable() async {
    let interruption = Interruption()
    await withTaskCancellationHandler {
      await runBlocking { [self] in
        parking.park(in: source, until: nil, unless: { interruption.isRaised || hasNews })
      }
    } onCancel: {
      interruption.raise()
      parking.wakeAll(of: source)
    }
  }
}

/// Says to one waiting thread that its task was cancelled.
final class Interruption: Sendable {
  private let raised = Atomic<Bool>(false)
  var isRaised: Bool { raised.load(ordering: .sequentiallyConsistent) }
  func raise() { raised.store(true, ordering: .sequentiallyConsistent) }
}
