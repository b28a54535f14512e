import Synchronization

/// A stream of deliveries, begun with ``MessageBus/subscribe(to:options:)``.
///
/// Three ways to read it, which may be mixed; each delivery goes to exactly one reader:
/// - as an `AsyncSequence` of ``Delivery``;
/// - from a plain thread: ``poll()``, ``receive(timeout:)``;
/// - without allocating: ``drain(limit:onGap:onMessage:)`` lends the messages.
///
/// Safe from any thread. The stream ends after `close()` of its bus, once what it holds is read, or at
/// once with ``cancel()``.
public final class Subscription: Sendable {
  public let prefix: TopicPrefix
  let source: any SubscriptionSource
  private let reader: Mutex<Reader>
  private let cancelled = Atomic<Bool>(false)

  /// What one reader at a time works on.
  private struct Reader {
    /// Deliveries that were copied out of the source ahead of time, oldest first.
    var ready: [Delivery] = []
    var next = 0
    var ended = false
    var failure: BusError?
  }

  /// How many deliveries the copying readers fetch at a time, so that the source is locked once for
  /// many of them.
  private static let fetchLimit = 64

  /// For transports.
  public init(prefix: TopicPrefix, source: any SubscriptionSource) {
    self.prefix = prefix
    self.source = source
    reader = Mutex(Reader())
  }

  deinit { source.cancel() }

  /// The next delivery if there is one now; nil when there is nothing yet, or nothing ever
  /// (``isEnded``).
  ///
  /// - Throws: `corrupt`, `system`, once; the subscription has then ended.
  public func poll() throws(BusError) -> Delivery? {
    try reader.withLock { (reader) throws(BusError) in try pollLocked(&reader) }
  }

  /// The next delivery, waiting for it at most `timeout` (nil: as long as it takes). Blocks the calling
  /// thread. nil on time-out or at the end (``isEnded``).
  public func receive(timeout: Duration? = nil) throws(BusError) -> Delivery? {
    let deadline = timeout.map { ContinuousClock.now.advanced(by: $0) }
    while true {
      if let delivery = try poll() { return delivery }
      if isEnded { return nil }
      if let deadline, ContinuousClock.now >= deadline { return nil }
      source.park(until: deadline)
    }
  }

  /// Lends up to `limit` deliveries that are ready now, in order, without allocating; returns how many.
  ///
  /// The closures must not call methods of this subscription. O(`limit`) at most.
  @discardableResult
  public func drain(
    limit: Int = 256, onGap: (Gap) -> Void = { _ in },
    onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) throws(BusError) -> Int {
    try reader.withLock { (reader) throws(BusError) in
      let handed = handOutReady(&reader, limit: limit, onGap: onGap, onMessage: onMessage)
      guard handed < limit, !reader.ended else { return handed }
      return try handed
        + drainSource(&reader, limit: limit - handed, onGap: onGap, onMessage: onMessage)
    }
  }

  /// Blocks the calling thread until there may be something to read, or until `timeout` (nil: as long
  /// as it takes). For use with ``drain(limit:onGap:onMessage:)``; may return early for no reason.
  public func wait(timeout: Duration? = nil) {
    guard !isEnded else { return }
    source.park(until: timeout.map { ContinuousClock.now.advanced(by: $0) })
  }

  /// Whether nothing will ever be delivered again.
  public var isEnded: Bool {
    cancelled.load(ordering: .acquiring)
      || reader.withLock { $0.ended && $0.next == $0.ready.count }
  }

  /// Ends this subscription at once: after it returned nothing more is delivered, and who waits for a
  /// delivery is told the end. Idempotent.
  public func cancel() {
    cancelled.store(true, ordering: .releasing)
    source.wake()
    reader.withLock { reader in
      reader.ready = []
      reader.next = 0
      reader.ended = true
      source.cancel()
    }
  }

  /// What this subscription has missed so far.
  public var losses: SubscriptionLosses { source.losses }

  // MARK: One reader at a time

  private func pollLocked(_ reader: inout Reader) throws(BusError) -> Delivery? {
    if cancelled.load(ordering: .acquiring) { return nil }
    if reader.next == reader.ready.count, !reader.ended {
      reader.ready.removeAll(keepingCapacity: true)
      reader.next = 0
      var fetched = reader.ready
      reader.ready = []
      defer { reader.ready = fetched }
      _ = try drainSource(
        &reader, limit: Subscription.fetchLimit,
        onGap: { fetched.append(.gap($0)) },
        onMessage: { view, payload in fetched.append(.envelope(view.envelope(payload: payload))) })
    }
    guard reader.next < reader.ready.count else { return nil }
    defer { reader.next += 1 }
    return reader.ready[reader.next]
  }

  private func drainSource(
    _ reader: inout Reader, limit: Int, onGap: (Gap) -> Void,
    onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) throws(BusError) -> Int {
    if cancelled.load(ordering: .acquiring) { return 0 }
    do throws(BusError) {
      let result = try source.drain(limit: limit, onGap: onGap, onMessage: onMessage)
      reader.ended = result.ended
      return result.count
    } catch {
      reader.ended = true
      throw error
    }
  }

  private func handOutReady(
    _ reader: inout Reader, limit: Int, onGap: (Gap) -> Void,
    onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) -> Int {
    var handed = 0
    while handed < limit, reader.next < reader.ready.count {
      switch reader.ready[reader.next] {
      case .envelope(let envelope): envelope.lend(onMessage)
      case .gap(let gap): onGap(gap)
      }
      reader.next += 1
      handed += 1
    }
    return handed
  }
}

extension Subscription: AsyncSequence {
  public typealias Element = Delivery
  public typealias Failure = BusError

  public struct AsyncIterator: AsyncIteratorProtocol {
    let subscription: Subscription

    /// The next delivery, or nil at the end or when the task is cancelled. Blocks no thread of the
    /// cooperative pool: the wait happens on a thread of its own.
    public mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(BusError) -> Delivery? {
      while true {
        if let delivery = try subscription.poll() { return delivery }
        if subscription.isEnded || Task.isCancelled { return nil }
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
    await withTaskCancellationHandler {
      await runBlocking { [source] in source.park(until: nil) }
    } onCancel: {
      source.wake()
    }
  }
}
