import SharedRing
import Synchronization

/// A stream of messages that come again until they are acknowledged: at least once.
///
/// Its name is known on the bus, and everybody who subscribes with it, in one process or in
/// several, is a member of one group: each message goes to one of them. What a member had and did
/// not acknowledge goes to another, when it dies or closes, rejects it, or after
/// ``DurableOptions/redeliverAfter``. With nobody there the group's place in the log stays, and the
/// next member goes on there.
///
/// Each member receives what is new in the order of the log, in runs of up to
/// ``DurableOptions/prefetch``; what comes again comes first. There is no order between members.
///
/// Read as an `AsyncSequence`, or from plain threads with ``poll()`` and ``receive(timeout:)``; all
/// methods may be called from any thread. A member that has nothing to do wakes up once a second to
/// look for dead ones, and ten times while another member has messages that it has not
/// acknowledged: 0.02 and 0.2 percent of a processor, most of it for the waking.
public final class DurableSubscription: Sendable {
  public let name: DurableName
  public var prefix: TopicPrefix { reading.prefix }
  private let reading: Subscription
  /// Touched only by who holds `turn`.
  private nonisolated(unsafe) let member: DurableMember
  private let turn = Lock(())
  private let mark = ProcessMark()
  private let closed = Atomic<Bool>(false)
  /// Something was acknowledged: for those that sleep because they have as much as they may have.
  private let acknowledged = Event()

  /// How long to sleep at most while others may give something back, or nobody can.
  private static let naps = (short: Duration.milliseconds(100), long: Duration.seconds(1))

  init(_ name: DurableName, _ reading: Subscription, _ member: sending DurableMember) {
    self.name = name
    self.reading = reading
    unsafe self.member = member
  }

  deinit { close() }

  // MARK: Reading

  /// The next delivery if there is one now; nil when there is none yet, or none ever (``isEnded``).
  /// Does not wait for messages; blocks for as long as reading files takes.
  ///
  /// - Throws: `corrupt`, `notFound` (the journal is damaged, or was removed), `noSpace`, `system`,
  ///   `forked`.
  public func poll() throws(BusError) -> DurableDelivery? {
    try fill(.never)
    return takeReady()
  }

  /// The next delivery, waiting for it at most `timeout` (nil: as long as it takes). Blocks the
  /// calling thread. nil on time-out or at the end (``isEnded``).
  ///
  /// - Throws: as ``poll()``; `busy` when another member has kept the journal locked.
  public func receive(timeout: Duration? = nil) throws(BusError) -> DurableDelivery? {
    let deadline = timeout.map { ContinuousClock.now.advanced(by: $0) }
    while true {
      try fill(.blocking)
      if let delivery = takeReady() { return delivery }
      if isEnded { return nil }
      if let deadline, ContinuousClock.now >= deadline { return nil }
      sleep(until: deadline, unless: { false })
    }
  }

  /// Whether nothing will ever be delivered again: it was closed, or its bus was and everything
  /// that it held is read.
  public var isEnded: Bool { isClosed || turn.withLock { _ in unsafe member.isExhausted } }

  /// What was found missing so far, by this member.
  public var losses: SubscriptionLosses { reading.losses }

  private var isClosed: Bool { closed.load(ordering: .sequentiallyConsistent) }

  private func takeReady() -> DurableDelivery? {
    turn.withLock { _ in isClosed ? nil : unsafe member.takeReady() }
  }

  private func fill(_ wait: PublishWait) throws(BusError) {
    try mark.check()
    let hasMore = try turn.withLock { (_) throws(BusError) in
      if isClosed { return false }
      if unsafe member.ready.isEmpty { try unsafe member.fill(wait) }
      return unsafe member.ready.count > 1
    }
    if hasMore { reading.wakeWaiting() }
  }

  private func sleep(until deadline: ContinuousClock.Instant?, unless isOver: () -> Bool) {
    let (isFull, mustLook) = turn.withLock { _ in unsafe (member.isFull, member.mustLook) }
    let naps = DurableSubscription.naps
    let nap = ContinuousClock.now.advanced(by: mustLook ? naps.short : naps.long)
    let end = deadline.map { Swift.min($0, nap) } ?? nap
    if isFull {
      // The log has more, but it would not help.
      let ticket = acknowledged.prepareToWait()
      let isStillFull = turn.withLock { _ in unsafe member.isFull }
      if isStillFull, !isClosed, !isOver() { acknowledged.wait(ticket, until: end) }
    } else {
      reading.wait(until: end) {
        isClosed || isOver() || turn.withLock { _ in unsafe !member.ready.isEmpty }
      }
    }
  }

  // MARK: For tasks

  /// As ``takeReady()``; nil also when somebody else is at it.
  func takeReadyIfAvailable() -> DurableDelivery? {
    turn.withLockIfAvailable { _ in isClosed ? nil : unsafe member.takeReady() } ?? nil
  }

  /// As ``isEnded``; false also when somebody else is at it.
  var isKnownToHaveEnded: Bool {
    isClosed || turn.withLockIfAvailable { _ in unsafe member.isExhausted } ?? false
  }

  /// Claims what there is, or waits for a while.
  func prepare(unless isOver: () -> Bool) throws(BusError) {
    try fill(.blocking)
    let hasReady = turn.withLock { _ in unsafe !member.ready.isEmpty }
    if !hasReady, !isEnded { sleep(until: nil, unless: isOver) }
  }

  /// Makes everybody who sleeps here look again.
  func wake() {
    acknowledged.signal()
    reading.wakeWaiting()
  }

  // MARK: Acknowledging

  /// This message is done with, and does not come again. When this returns, that outlives the death
  /// of every process; a power cut may take what was acknowledged in the last seconds, and
  /// then it comes again.
  ///
  /// Blocks for some microseconds, and longer only while a member is stopped that has the journal
  /// locked.
  /// - Returns: whether it was still to be acknowledged, by whomever.
  /// - Throws: `busy`, `closed`, `forked`, `noSpace`, `corrupt`, `notFound`, `system`.
  @discardableResult
  public func acknowledge(_ delivery: DurableDelivery) throws(BusError) -> Bool {
    try acknowledge([delivery.position], .blocking) == 1
  }

  /// This message and all that this member was handed before it are done with: one line of the
  /// journal for all of them.
  ///
  /// - Returns: how many were still to be acknowledged.
  /// - Throws: as ``acknowledge(_:)``.
  @discardableResult
  public func acknowledge(upTo delivery: DurableDelivery) throws(BusError) -> Int {
    try acknowledge(upTo: delivery, .blocking) ?? 0
  }

  /// The message with this id, which this member was handed, is done with. O(unacknowledged).
  ///
  /// - Returns, throws: as ``acknowledge(_:)``.
  @discardableResult
  public func acknowledge(id: MessageID) throws(BusError) -> Bool {
    guard let position = turn.withLock({ _ in unsafe member.hand.position(of: id) }) else {
      return false
    }
    return try acknowledge([position], .blocking) == 1
  }

  /// The message at this place in the log (``Envelope/position``) is done with, whoever has it.
  ///
  /// - Returns, throws: as ``acknowledge(_:)``.
  @discardableResult
  public func acknowledge(position: UInt64) throws(BusError) -> Bool {
    try acknowledge([position], .blocking) == 1
  }

  /// Gives this message back: it comes again, here or elsewhere, at once. After the last attempt it
  /// goes to the topic `dead-letter.{name}` with `reason`, and does not come again.
  ///
  /// - Returns: whether this member still had it.
  /// - Throws: as ``acknowledge(_:)``.
  @discardableResult
  public func reject(_ delivery: DurableDelivery, reason: String) throws(BusError) -> Bool {
    try reject(delivery, reason, .blocking) ?? false
  }

  func acknowledge(_ positions: [UInt64], _ wait: PublishWait) throws(BusError) -> Int? {
    try change(wait) { (member) throws(BusError) in try member.acknowledge(positions, wait) }
  }

  func acknowledge(upTo delivery: DurableDelivery, _ wait: PublishWait) throws(BusError) -> Int? {
    try change(wait) { (member) throws(BusError) in
      try member.acknowledge(member.hand.first(upTo: delivery.number), wait)
    }
  }

  func reject(
    _ delivery: DurableDelivery, _ reason: String, _ wait: PublishWait
  ) throws(BusError) -> Bool? {
    try change(wait) { (member) throws(BusError) in try member.reject(delivery, reason, wait) }
  }

  private func change<R: Sendable>(
    _ wait: PublishWait, _ body: (DurableMember) throws(BusError) -> R?
  ) throws(BusError) -> R? {
    try mark.check()
    defer { acknowledged.signal() }
    switch wait {
    case .blocking:
      return try turn.withLock { (_) throws(BusError) in try changeInTurn(body) }
    case .never:
      return try turn.withLockIfAvailable { (_) throws(BusError) in try changeInTurn(body) } ?? nil
    }
  }

  private func changeInTurn<R: Sendable>(
    _ body: (DurableMember) throws(BusError) -> R?
  ) throws(BusError) -> R? {
    if isClosed {
      throw BusError(
        .closed, "the durable subscription \(name) was closed", hint: "subscribe again")
    }
    return try unsafe body(member)
  }

  /// Ends this member: what it has not acknowledged is given back at once. Idempotent. Does nothing
  /// in the child of a fork, whose parent is the member.
  public func close() {
    guard !mark.isForked, !closed.exchange(true, ordering: .sequentiallyConsistent) else { return }
    wake()
    turn.withLock { _ in unsafe member.leave() }
  }
}
