import SharedRing

/// The side of a ``ChannelBus`` that one subscription reads: a backlog, and who sleeps on it.
///
/// It has a lock of its own beside the bus's, so that readers hold up neither one another nor the
/// publishing of what they do not read. Locks are taken in the order reader, bus, queue; no foreign
/// code runs under bus or queue.
final class ChannelQueue: SubscriptionSource {
  let prefix: TopicPrefix
  private let policy: SubscriptionOptions.Policy
  private let capacity: Int
  /// Signalled when there is room, and when this subscription will not need it any more. All
  /// waiting publishers wake, since readers take as many messages at a time as they can.
  let room = Event()

  private struct State {
    var backlog: ChannelBacklog
    var phase = Phase.open
    /// Let go at the end, outside the locks: what it captures is foreign code.
    var onWarning: (@Sendable (BusWarning) -> Void)?
    /// A ``wake()`` that no ``park(until:)`` has seen yet.
    var isWoken = false
    /// Kept between drains so that they allocate nothing.
    var staging: [ChannelBacklog.Item] = []
  }

  private enum Phase {
    case open
    /// What is in the backlog may still be read.
    case closed
    case cancelled
  }

  private let state: Lock<State>
  private let readable = Event()
  private weak let core: ChannelCore?

  init(prefix: TopicPrefix, options: SubscriptionOptions, core: ChannelCore) {
    self.prefix = prefix
    policy = options.policy
    capacity = max(1, options.capacity)
    self.core = core
    state = Lock(
      State(backlog: ChannelBacklog(capacity: capacity), onWarning: options.onWarning))
  }

  // MARK: For publishers, under the bus's lock

  /// Whether a publisher must wait before it offers the next packet. Only publishers take room
  /// away, and they hold the bus's lock; so after a `false` there is room until the next
  /// ``offer(_:)``.
  var mustBeWaitedFor: Bool {
    guard case .backPressure = policy else { return false }
    return state.withLock { $0.phase == .open && $0.backlog.isFull }
  }

  /// - Returns: whether a warning is due.
  func offer(_ packet: ChannelPacket) -> Bool {
    state.withLock { $0.phase == .open && $0.backlog.appendOrDrop(packet) }
  }

  // MARK: For publishers, without the bus's lock

  /// How long publishers wait for room; nil: as long as this subscription lives.
  var timeout: Duration? {
    guard case .backPressure(let timeout) = policy else { return nil }
    return timeout
  }

  /// Blocks until there may be room, counting the patience of this subscription from `start`.
  ///
  /// - Throws: `backPressureTimedOut`; look once more for room before each call.
  func awaitRoom(since start: ContinuousClock.Instant) throws(BusError) {
    let deadline = timeout.map { start.advanced(by: $0) }
    let ticket = room.prepareToWait()
    guard mustBeWaitedFor else { return }
    if let timeout, let deadline, ContinuousClock.now >= deadline {
      throw BusError(
        .backPressureTimedOut,
        "the subscription to \"\(prefix)\" made no room within \(timeout)",
        hint: "read it faster, cancel it, or give it a greater capacity or time-out")
    }
    room.wait(ticket, until: deadline)
  }

  func wakeReader() { readable.signal() }

  func warn() {
    let onWarning = state.withLock { $0.onWarning }
    onWarning?(.queueFull(capacity: capacity))
  }

  // MARK: For the reader

  func drain(
    limit: Int, onGap: (Gap) -> Void, onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) throws(BusError) -> DrainResult {
    let (items, ended) = takeOut(limit)
    for item in items {
      switch item {
      case .message(let packet): packet.lend(onMessage)
      case .gap(let gap): onGap(gap.gap)
      }
    }
    return giveBack(items, ended: ended)
  }

  func take(limit: Int, into deliveries: inout [Delivery]) throws(BusError) -> DrainResult {
    let (items, ended) = takeOut(limit)
    for item in items {
      switch item {
      case .message(let packet): deliveries.append(.envelope(packet.envelope))
      case .gap(let gap): deliveries.append(.gap(gap.gap))
      }
    }
    return giveBack(items, ended: ended)
  }

  func park(until deadline: ContinuousClock.Instant?) {
    let ticket = readable.prepareToWait()
    let mayHaveWork = state.withLock { state in
      state.isWoken || state.phase != .open || !state.backlog.isEmpty
    }
    if !mayHaveWork { readable.wait(ticket, until: deadline) }
    state.withLock { $0.isWoken = false }
  }

  func wake() {
    state.withLock { $0.isWoken = true }
    readable.signal()
  }

  var losses: SubscriptionLosses { state.withLock { $0.backlog.losses } }

  // MARK: The end

  func close() {
    state.withLock { if $0.phase == .open { $0.phase = .closed } }
    readable.signal()
    room.signal()
  }

  func cancel() {
    // Returned and destroyed out of the lock: a full queue takes its time, a closure is foreign
    // code.
    _ = state.withLock { state in
      state.phase = .cancelled
      return (state.backlog.removeAll(), state.onWarning.take())
    }
    readable.signal()
    room.signal()
    core?.remove(self)
  }

  // MARK: Taking out

  /// Closures that are lent messages run without the lock, so that they may publish.
  private func takeOut(_ limit: Int) -> (items: [ChannelBacklog.Item], ended: Bool) {
    var items: [ChannelBacklog.Item] = []
    let (ended, hadNoRoom) = state.withLock { state in
      swap(&items, &state.staging)
      let hadNoRoom = state.backlog.isFull
      while items.count < limit, let item = state.backlog.next() { items.append(item) }
      return (state.phase != .open && state.backlog.isEmpty, hadNoRoom)
    }
    if hadNoRoom { room.signal() }
    return (items, ended)
  }

  private func giveBack(_ items: consuming [ChannelBacklog.Item], ended: Bool) -> DrainResult {
    var items = items
    let count = items.count
    items.removeAll(keepingCapacity: true)
    state.withLock { swap(&items, &$0.staging) }
    return DrainResult(count: count, ended: ended)
  }
}
