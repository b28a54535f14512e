import SharedRing

/// A bus between processes through shared memory: fast, lock-free, in one total order, forgetting.
///
/// All processes that open the same directory share one segment (``segmentPath(of:in:)``), which
/// the first of them makes. A process occupies one lane from its first publish until its last bus
/// object and publisher on that directory are gone, and one row per subscription. Processes may be
/// killed at any instruction; nobody waits for them.
///
/// Safe from any thread.
public final class SharedMemoryBus: MessageBus {
  public let directory: BusDirectory
  let location: RingLocation
  let geometry: RingGeometry
  let permit: BusPermit
  private let mark = ProcessMark()
  /// Ends waits when it is closed, and says how long they wait for a mirror.
  let closing: RingCancellation
  /// Whether the mirror may give up what this object publishes.
  let mayBeGivenUp: Bool
  private let onWarning: (@Sendable (BusWarning) -> Void)?
  private let state = Lock(State())

  private struct State {
    var lane: SharedMemoryLane?
    var subscriptions = SubscriptionList()
  }

  /// Opens the bus of `directory`. No segment is made or joined before the first publish or
  /// subscribe.
  ///
  /// - Throws: as ``BusPolicy/read(of:)``.
  /// - Parameter onWarning: called, from any thread, when a segment that nobody could use is
  ///   replaced: ``BusWarning/segmentReplaced(path:reason:)``.
  public convenience init(
    directory: BusDirectory, options: SharedMemoryOptions = SharedMemoryOptions(),
    onWarning: (@Sendable (BusWarning) -> Void)? = nil
  ) throws(BusError) {
    try self.init(
      directory: directory, options: options, closing: RingCancellation(), mayBeGivenUp: false,
      onWarning: onWarning)
  }

  /// The part of a ``MirroredBus`` that is in shared memory.
  init(
    directory: BusDirectory, options: SharedMemoryOptions, closing: RingCancellation,
    mayBeGivenUp: Bool, onWarning: (@Sendable (BusWarning) -> Void)?
  ) throws(BusError) {
    self.directory = directory
    permit = try BusPermit(directory)
    self.closing = closing
    self.mayBeGivenUp = mayBeGivenUp
    self.onWarning = onWarning
    geometry = options.geometry
    location = SharedMemoryBus.location(of: directory, in: options.segmentDirectory)
  }

  deinit { close() }

  public func publish(
    _ messages: [Message], to topic: Topic, wait: PublishWait
  ) throws(PublishFailure) -> Int {
    let lane: SharedMemoryLane
    var streams: [SharedMemoryStream] = []
    do throws(BusError) {
      try permit.checkPublish(topic)
      for message in messages { try Message.checkHasNoKey(message) }
      lane = try openLane()
      for message in messages {
        try Message.checkName(message.sender, role: "sender")
        try Message.checkName(message.type, role: "type")
        streams.append(
          lane.stream(
            topic: topic, sender: message.sender, type: message.type,
            mayBeGivenUp: mayBeGivenUp))
      }
    } catch { throw PublishFailure(error) }
    return try SharedMemoryBatch(lane: lane, closing: closing, location: location)
      .publish(count: messages.count, wait: wait) { (messages[$0].payload, streams[$0]) }
  }

  public func publisher(
    topic: Topic, sender: String, type: String
  ) throws(BusError) -> Publisher {
    let endpoint = try endpoint(topic: topic, sender: sender, type: type)
    return Publisher(topic: topic, sender: sender, type: type, endpoint: endpoint)
  }

  func endpoint(
    topic: Topic, sender: String, type: String
  ) throws(BusError) -> SharedMemoryEndpoint {
    try Message.checkName(sender, role: "sender")
    try Message.checkName(type, role: "type")
    try permit.checkPublish(topic)
    let lane = try openLane()
    return SharedMemoryEndpoint(
      lane: lane,
      stream: lane.stream(
        topic: topic, sender: sender, type: type, mayBeGivenUp: mayBeGivenUp), mark: mark,
      closing: closing, location: location)
  }

  public func subscribe(
    to prefix: TopicPrefix, options: SubscriptionOptions
  ) throws(BusError) -> Subscription {
    try checkOpen()
    try permit.checkSubscribe(prefix)
    if !options.isReadOnly { replaceUnusable() }
    let source = try SharedMemorySource(location, geometry, prefix: prefix, options: options)
    let subscription = Subscription(prefix: prefix, source: source)
    let isOpen = state.withLock { state in
      guard !closing.isRaised else { return false }
      state.subscriptions.add(subscription)
      return true
    }
    guard isOpen else { throw .busClosed }
    return subscription
  }

  public func unsubscribe(from prefix: TopicPrefix) {
    let ended = state.withLock { $0.subscriptions.remove(prefix) }
    for subscription in ended { subscription.cancel() }
  }

  public func close() {
    let ended = state.withLock { state in
      closing.raise()
      state.lane = nil
      return state.subscriptions.removeAll()
    }
    for subscription in ended { subscription.source.close() }
  }

  /// How often this process had to wait for a subscription with back pressure on this bus.
  public var backPressureWaits: UInt64 { state.withLock { $0.lane }?.waits ?? 0 }

  private func checkOpen() throws(BusError) {
    if closing.isRaised { throw .busClosed }
    try mark.check()
  }

  func openLane() throws(BusError) -> SharedMemoryLane {
    try checkOpen()
    return try state.withLock { (state) throws(BusError) in
      if let lane = state.lane { return lane }
      replaceUnusable()
      do throws(RingError) {
        let lane = try SharedMemoryLane.shared(at: location, creating: geometry)
        state.lane = lane
        return lane
      } catch { throw BusError(error, location) }
    }
  }

  /// Makes room for a new segment where the old one is of no use to anybody, and says so.
  private func replaceUnusable() {
    guard let mismatch = location.removeUnusable() else { return }
    onWarning?(.segmentReplaced(path: location.path, reason: BusError.describe(mismatch)))
  }
}
