/// A bus within one process: the transport for agents that share memory, and the reference for what
/// the other transports do.
///
/// Each subscription buffers up to ``SubscriptionOptions/capacity`` messages (at least 1). When
/// that is full, a `dropping` subscription loses the newest messages and receives exact gaps in
/// their place; for one with `backPressure` publishers wait until every such subscription has room,
/// so a message goes to all or to none.
///
/// All subscriptions see one total order, whose places ``Envelope/position`` counts from 0.
/// Messages are shared, not copied. A message that was published is held by nobody but the
/// subscriptions, so a subscription cannot begin in the past.
///
/// Safe from any thread. Publishing is O(subscriptions) per message. The bus closes when the last
/// reference to it and to its publishers goes.
public final class ChannelBus: MessageBus {
  /// The largest payload in bytes, unless told otherwise.
  public static let defaultMessageLimit = 16 << 20

  /// The largest payload in bytes.
  public let messageLimit: Int
  private let core: ChannelCore
  private let mark = ProcessMark()

  public init(
    messageLimit: Int = ChannelBus.defaultMessageLimit,
    idempotency: IdempotencyOptions = IdempotencyOptions()
  ) {
    self.messageLimit = messageLimit
    core = ChannelCore(idempotency)
  }

  deinit { core.close() }

  public func publish(
    _ messages: [Message], to topic: Topic, wait: PublishWait
  ) throws(PublishFailure) -> Int {
    let drafts: [ChannelCore.Draft]
    do throws(BusError) {
      drafts = try checked(messages, topic)
    } catch { throw PublishFailure(error) }
    return try publish(count: drafts.count, wait: wait) { drafts[$0] }
  }

  public func publisher(
    topic: Topic, sender: String, type: String
  ) throws(BusError) -> Publisher {
    try checkUsable()
    try Message.checkName(sender, role: "sender")
    try Message.checkName(type, role: "type")
    let names = core.names(topic: topic, sender: sender, type: type)
    return Publisher(
      topic: topic, sender: sender, type: type, endpoint: ChannelEndpoint(bus: self, names: names))
  }

  /// - Throws: `closed`, `forked`; `notFound` for a start behind a message, since none is held.
  public func subscribe(
    to prefix: TopicPrefix, options: SubscriptionOptions
  ) throws(BusError) -> Subscription {
    try checkUsable()
    try options.checkNeedsNoSegment()
    if case .since = options.start { throw .noPast }
    if case .after(let id) = options.start {
      throw BusError(
        .notFound, "message \(id) is not held any more",
        hint: "a bus within one process keeps nothing; subscribe before publishing")
    }
    let queue = ChannelQueue(prefix: prefix, options: options, core: core)
    let subscription = Subscription(prefix: prefix, source: queue)
    try core.add(queue, of: subscription)
    return subscription
  }

  public func unsubscribe(from prefix: TopicPrefix) {
    for subscription in core.subscriptions(to: prefix) { subscription.cancel() }
  }

  public func close() { core.close() }

  // MARK: Publishing

  /// Nothing of a batch is published when one of its messages is malformed.
  private func checked(_ messages: [Message], _ topic: Topic) throws(BusError) -> [ChannelCore
    .Draft]
  {
    try checkUsable()
    for message in messages {
      try Message.checkName(message.sender, role: "sender")
      try Message.checkName(message.type, role: "type")
      try checkSize(message.payload.bytes.count)
    }
    return messages.map { message in
      let names = core.names(topic: topic, sender: message.sender, type: message.type)
      return ChannelCore.Draft(
        names: names, payload: message.payload, key: message.idempotencyKey)
    }
  }

  private func checkUsable() throws(BusError) {
    try checkNotForked()
    try core.checkOpen()
  }

  /// To be asked before any lock is taken, since a thread that the fork left behind may hold it.
  func checkNotForked() throws(BusError) { try mark.check() }

  func checkSize(_ payload: Int) throws(BusError) {
    guard payload <= messageLimit else {
      throw .payloadTooLarge(payload, limit: messageLimit)
    }
  }

  func publish(
    count: Int, wait: PublishWait, draft: (Int) -> ChannelCore.Draft
  ) throws(PublishFailure) -> Int {
    var published = 0
    var waitingSince: ContinuousClock.Instant?
    while true {
      let turn = core.publish(from: published, count: count, draft: draft)
      if turn.isClosed { throw PublishFailure(ChannelCore.closedError, published: published) }
      guard let queue = turn.blockedBy, case .blocking = wait else { return turn.published }
      // Each message has its subscriptions' whole patience.
      if turn.published > published { waitingSince = nil }
      published = turn.published
      let since = waitingSince ?? .now
      waitingSince = since
      do throws(BusError) {
        try queue.awaitRoom(since: since)
      } catch { throw PublishFailure(error, published: published) }
    }
  }
}
