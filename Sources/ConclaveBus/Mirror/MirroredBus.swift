import Glibc
import SharedRing

/// A bus between processes that is fast and forgets nothing: shared memory, with the topic files as
/// its durable mirror.
///
/// One of the processes that open it is the mirror (``MirrorLock``), and when it dies, another is
/// the next moment. Publishers choose what must be true before they go on (``Durability``).
/// Subscribers that were overrun, and those that begin in the past, read the files and then go on
/// in shared memory, without a hole and without a duplicate: ``Envelope/position`` is the same in
/// both. Who reads the files alone uses ``FileBus``.
///
/// Processes that open the same directory with ``SharedMemoryBus`` take part: what they publish is
/// mirrored. What a ``FileBus`` publishes is in the files alone: subscribers see it only when they
/// begin in the past.
///
/// Safe from any thread.
public final class MirroredBus: MessageBus {
  public let directory: BusDirectory
  let options: MirrorOptions
  let shared: SharedMemoryBus
  let files: FileBus
  private let mark = ProcessMark()
  private let state: Lock<State>
  /// Signalled when ``close()`` is done.
  private let closed = Event()

  private struct State {
    var seat: MirrorSeat?
    var subscriptions = SubscriptionList()
    /// The thread that closes the bus, or has.
    var closer: pthread_t?
    var isClosed: Bool { closer != nil }
    var isDone = false
  }

  /// Opens the bus of `directory`, and becomes its mirror if there is none.
  ///
  /// - Throws: `busy` when another bus is being mirrored into the directory; `permissionDenied`
  ///   when it cannot be written; `unsupported` for a sync interval of 0 and for rules of retention
  ///   that keep nothing; `exhausted`, `incompatible`, `noSpace`, `system`.
  public init(
    directory: BusDirectory, options: MirrorOptions = MirrorOptions()
  ) throws(BusError) {
    self.directory = directory
    try options.check()
    var options = options
    if options.file.retentionGuard == nil {
      options.file.retentionGuard = DurableStatus.retentionGuard(of: directory)
    }
    self.options = options
    shared = try SharedMemoryBus(
      directory: directory, options: options.shared,
      closing: RingCancellation(mirrorPatience: max(1, options.patience.nanosecondsSaturated)),
      mayBeGivenUp: options.whenFailing == .continueUnmirrored, onWarning: options.onWarning)
    files = try FileBus(directory: directory, options: options.file)
    let seat =
      options.isCandidate ? try MirrorSeat.shared(directory, shared.location, options) : nil
    state = Lock(State(seat: seat))
  }

  deinit { close() }

  /// Whether this process is the mirror just now.
  public var isMirror: Bool { state.withLock { $0.seat }?.isSeated ?? false }

  public func publish(
    _ messages: [Message], to topic: Topic, wait: PublishWait
  ) throws(PublishFailure) -> Int {
    try publish(messages, to: topic, wait: wait, durability: options.durability)
  }

  public func publisher(
    topic: Topic, sender: String, type: String
  ) throws(BusError) -> Publisher {
    try publisher(topic: topic, sender: sender, type: type, durability: options.durability)
  }

  public func subscribe(
    to prefix: TopicPrefix, options: SubscriptionOptions
  ) throws(BusError) -> Subscription {
    try subscribe(to: prefix, options: options, durable: nil)
  }

  /// - Parameter durable: says where to begin; nil: `options` do.
  func subscribe(
    to prefix: TopicPrefix, options: SubscriptionOptions,
    durable: MirroredReading.DurableBeginning?
  ) throws(BusError) -> Subscription {
    try mark.check()
    if shared.closing.isRaised { throw .busClosed }
    try shared.permit.checkSubscribe(prefix)
    let source = try MirroredSource(
      files.shared, shared.location, shared.geometry, prefix: prefix, options: options,
      durable: durable)
    let subscription = Subscription(prefix: prefix, source: source)
    let isOpen = state.withLock { state in
      guard !state.isClosed else { return false }
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

  /// Ends every subscription after what it holds; then, if this process is the mirror, what has
  /// been published by now is mirrored. Blocks until that is done, also when another thread does
  /// it already. Not to be called from ``MirrorOptions/onWarning``, for which it would wait.
  public func close() {
    let isFirst = state.withLock { state in
      guard state.closer == nil else { return false }
      state.closer = pthread_self()
      return true
    }
    guard isFirst else { return waitUntilClosed() }
    shared.close()
    let (seat, ended) = state.withLock { state in
      (state.seat.take(), state.subscriptions.removeAll())
    }
    for subscription in ended { subscription.source.close() }
    // Ends this process's term if it was the last to hold it; subscriptions read on without.
    _ = consume seat
    files.close()
    state.withLock { $0.isDone = true }
    closed.signal()
  }

  private func waitUntilClosed() {
    // The thread that closes is not there in a forked process.
    while !mark.isForked {
      let ticket = closed.prepareToWait()
      let isOver = state.withLock { $0.isDone || $0.closer == pthread_self() }
      if isOver { return }
      closed.wait(ticket, until: nil)
    }
  }
}
