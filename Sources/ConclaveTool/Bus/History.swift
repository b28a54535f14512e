import ConclaveBus

/// Which messages of the past are wanted, and how fast.
struct HistoryPlan {
  var prefix: TopicPrefix
  /// Only this one, where it is said.
  var topic: Topic?
  var start = SubscriptionOptions.Start.beginning
  var end: Moment?
  /// nil: as fast as possible.
  var speed: Double?

  init(prefix: TopicPrefix) { self.prefix = prefix }
}

/// A stretch of what the topic files hold, in its order on the bus. Used by one thread.
final class History {
  private let bus: FileBus
  private let subscription: Subscription
  private let topic: Topic?
  private let end: HistoryEnd?
  private var isOver = false

  /// - Throws: `notFound` when no file holds a message by which the stretch is bounded; what
  ///   opening and reading files throws.
  init(_ directory: BusDirectory, _ plan: HistoryPlan, _ notes: DeliveryNotes) throws(BusError) {
    bus = try FileBus(directory: directory)
    topic = plan.topic
    end = try plan.end.map { (end) throws(BusError) in
      try HistoryEnd(end, in: directory, plan.prefix)
    }
    subscription = try bus.subscribe(
      to: plan.prefix,
      options: SubscriptionOptions(start: plan.start, onWarning: { notes.warn($0) }))
    // What is in the files by now is to come, and then the end.
    bus.close()
  }

  /// The next delivery, or nil at the end.
  func next() throws(BusError) -> Delivery? {
    while !isOver, let delivery = try subscription.receive() {
      guard case .envelope(let envelope) = delivery else { return delivery }
      if let end {
        if end.isLast(envelope) { isOver = true }
        if end.isBefore(envelope) { continue }
      }
      if topic == nil || topic == envelope.topic { return delivery }
    }
    return nil
  }
}

/// Where a stretch of history ends, with what belongs to it.
enum HistoryEnd {
  case time(Timestamp)
  case message(Envelope)

  /// - Throws: `notFound` when no file holds the message.
  init(
    _ moment: Moment, in directory: BusDirectory, _ prefix: TopicPrefix
  ) throws(BusError) {
    switch moment {
    case .time(let time): self = .time(time)
    case .message(let id): self = .message(try HistoryEnd.find(id, in: directory, prefix))
    }
  }

  func isLast(_ envelope: Envelope) -> Bool {
    if case .message(let last) = self { last.id == envelope.id } else { false }
  }

  /// Whether the message belongs to the stretch no more.
  func isBefore(_ envelope: Envelope) -> Bool {
    switch self {
    case .time(let time): return time < envelope.timestamp
    case .message(let last):
      if let position = envelope.position, let end = last.position { return end < position }
      return last.timestamp < envelope.timestamp
    }
  }

  private static func find(
    _ id: MessageID, in directory: BusDirectory, _ prefix: TopicPrefix,
    _ start: SubscriptionOptions.Start
  ) throws(BusError) -> Envelope? {
    let bus = try FileBus(directory: directory)
    let subscription = try bus.subscribe(to: prefix, options: SubscriptionOptions(start: start))
    bus.close()
    while let delivery = try subscription.receive() {
      if case .envelope(let envelope) = delivery, envelope.id == id { return envelope }
    }
    return nil
  }

  /// O(what was published since its process began), or, where somebody has set the clock since,
  /// O(everything).
  private static func find(
    _ id: MessageID, in directory: BusDirectory, _ prefix: TopicPrefix
  ) throws(BusError) -> Envelope {
    // An id's counter is the time at which its process began, and a little more.
    let early = Timestamp(nanosecondsSinceEpoch: id.counter - min(id.counter, 1_000_000_000))
    for start in [SubscriptionOptions.Start.since(early), .beginning] {
      if let envelope = try find(id, in: directory, prefix, start) { return envelope }
      // It may be of another topic; but not of one that a policy keeps from us.
      do throws(BusError) {
        if let envelope = try find(id, in: directory, .all, start) { return envelope }
      } catch {
        guard error.code == .permissionDenied else { throw error }
      }
    }
    throw BusError(
      .notFound, "no file of this bus holds a message with the id \(id)",
      hint: "name the time at which to end instead")
  }
}
