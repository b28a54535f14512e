public import ConclaveBus
import SharedRing

/// Reads one board: keeps what it has read, so that a selection can be made of the whole board
/// each time. Safe from any thread; its methods block, so they are not for cooperative threads.
public final class BoardReader: Sendable {
  /// How many items are kept; then the oldest go, and are counted as lost.
  public static let capacity = 10_000

  private let topic: Topic
  private let subscription: Subscription
  private let state = Lock(State())

  fileprivate struct State {
    var items: [BoardItem] = []
    var skipped: UInt64 = 0
    var lost: UInt64 = 0
  }

  init(topic: Topic, _ subscription: Subscription) {
    self.topic = topic
    self.subscription = subscription
  }

  deinit { subscription.cancel() }

  /// Everything that was read so far, in the order of the board, oldest first.
  public var items: [BoardItem] { state.withLock { $0.items } }

  /// Messages on the topic that are no notes: of another type, or not `{"text": string, ...}`.
  public var skipped: UInt64 { state.withLock { $0.skipped } }

  /// Messages of the board that are missing, as far as the bus knows, and items that were too many
  /// to be kept.
  public var lost: UInt64 { state.withLock { $0.lost } }

  /// Reads on until nothing has come for `patience`, or to the end once the bus is closed.
  ///
  /// The patience is for a mirror that is a little behind: what it has not written yet is read
  /// then, or the next time.
  /// - Returns: what is new.
  /// - Throws: `corrupt`, `system`; the subscription has then ended.
  @discardableResult
  public func refresh(
    patience: Duration? = .milliseconds(50)
  ) throws(BusError) -> [BoardItem] {
    var new: [BoardItem] = []
    while let item = try next(timeout: patience) { new.append(item) }
    return new
  }

  /// The next note, waiting for it at most `timeout` (nil: as long as it takes); nil when there is
  /// none by then, or at the end (``isEnded``).
  public func next(timeout: Duration? = nil) throws(BusError) -> BoardItem? {
    let deadline = timeout.map { ContinuousClock.now.advanced(by: $0) }
    while true {
      let left = deadline.map { ContinuousClock.now.duration(to: $0) }
      guard let delivery = try subscription.receive(timeout: left) else { return nil }
      if let item = take(delivery) { return item }
    }
  }

  /// Whether nothing will ever come again.
  public var isEnded: Bool { subscription.isEnded }

  /// Ends the reading at once; who waits is told. Idempotent.
  public func cancel() { subscription.cancel() }

  private func take(_ delivery: Delivery) -> BoardItem? {
    switch delivery {
    case .gap(let gap):
      if gap.topic == topic { state.withLock { $0.lose(gap.count) } }
      return nil
    case .envelope(let envelope):
      // Topics below are not this board.
      guard envelope.topic == topic else { return nil }
      let item = BoardItem(envelope)
      state.withLock { $0.add(item) }
      return item
    }
  }
}

extension BoardReader.State {
  fileprivate mutating func add(_ item: BoardItem?) {
    guard let item else { return skipped &+= 1 }
    items.append(item)
    guard items.count > BoardReader.capacity else { return }
    // Some at once, since each time the rest moves.
    let surplus = BoardReader.capacity / 10
    items.removeFirst(surplus)
    lose(UInt64(surplus))
  }

  fileprivate mutating func lose(_ count: UInt64) {
    let (sum, overflow) = lost.addingReportingOverflow(count)
    lost = overflow ? .max : sum
  }
}
