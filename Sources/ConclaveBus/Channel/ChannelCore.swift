import SharedRing

/// What fixes the order of a ``ChannelBus``: under one lock a message gets its numbers and goes to
/// every queue, so numbers, order and what each subscription sees cannot disagree.
final class ChannelCore: Sendable {
  /// A message that was checked and waits for its turn.
  struct Draft {
    let names: ChannelNames
    let payload: RawJSON
    var key: IdempotencyKey?
  }

  /// How far one turn under the lock came.
  struct Turn {
    var published: Int
    var isClosed = false
    /// The queue without room whose patience ends first.
    var blockedBy: ChannelQueue?
    fileprivate var targets: [ChannelQueue] = []
    fileprivate var warnings: [ChannelQueue] = []
  }

  private let state: Lock<ChannelOrder>

  init(_ idempotency: IdempotencyOptions) {
    state = Lock(ChannelOrder(ChannelKeys(idempotency)))
  }

  /// Checks that the bus is open.
  func checkOpen() throws(BusError) {
    if state.withLock({ $0.isClosed }) { throw ChannelCore.closedError }
  }

  static let closedError = BusError(
    .closed, "the bus is closed", hint: "publish and subscribe before close()")

  // MARK: Publishing

  /// The shared names of a message, made when it is the first of its kind. O(1).
  func names(topic: Topic, sender: String, type: String) -> ChannelNames {
    state.withLock { $0.names(topic: topic, sender: sender, type: type) }
  }

  /// Publishes what fits of `count` drafts of one topic, from number `first` on: each of them to
  /// all its subscribers or to none; duplicates count, and go to nobody. Never waits for room.
  func publish(from first: Int, count: Int, draft: (Int) -> Draft) -> Turn {
    let turn = state.withLock { state in
      var turn = Turn(published: first, isClosed: state.isClosed)
      guard !state.isClosed else { return turn }
      let now = Timestamp.now()
      while turn.published < count {
        let draft = draft(turn.published)
        if state.isDuplicate(draft) {
          turn.published += 1
          continue
        }
        turn.targets = state.targets(of: draft.names.stream)
        turn.blockedBy = ChannelCore.leastPatient(of: turn.targets)
        guard turn.blockedBy == nil else { break }
        let packet = state.number(draft, timestamp: now)
        for queue in turn.targets where queue.offer(packet) { turn.warnings.append(queue) }
        turn.published += 1
      }
      return turn
    }
    if turn.published > first { for queue in turn.targets { queue.wakeReader() } }
    for queue in turn.warnings { queue.warn() }
    return turn
  }

  private static func leastPatient(of targets: [ChannelQueue]) -> ChannelQueue? {
    var result: ChannelQueue?
    for queue in targets where queue.mustBeWaitedFor {
      guard let timeout = queue.timeout else {
        if result == nil { result = queue }
        continue
      }
      if let least = result?.timeout, least <= timeout { continue }
      result = queue
    }
    return result
  }

  // MARK: Subscribing

  func add(_ queue: ChannelQueue, of subscription: Subscription) throws(BusError) {
    let isOpen = state.withLock { state in
      if !state.isClosed { state.add(queue, of: subscription) }
      return !state.isClosed
    }
    if !isOpen { throw ChannelCore.closedError }
  }

  /// O(subscriptions). Idempotent.
  func remove(_ queue: ChannelQueue) {
    // Returned and destroyed out of the lock, which the last reference to it may need.
    _ = state.withLock { $0.remove(queue) }
  }

  func subscriptions(to prefix: TopicPrefix) -> [Subscription] {
    state.withLock { $0.subscriptions(to: prefix) }
  }

  func close() {
    for queue in state.withLock({ $0.close() }) { queue.close() }
  }
}
