/// The keys of one batch, locked: nobody else publishes with them while this lives.
///
/// Publish the messages of ``fresh``, then say with ``confirm(_:id:)`` which are on the bus. A
/// message that is neither confirmed nor withdrawn stays in doubt, as if its publisher had died.
struct IdempotencyClaim: ~Copyable {
  /// A note in the index that somebody is about to publish.
  struct Intent {
    let bucket: Int
    let slot: Int
    let entry: KeyEntry
  }

  private let index: IdempotencyIndex
  var locked: [Int] = []
  /// For each message: whether it is a duplicate, and of which message if that is known.
  var duplicates: [MessageID??]
  /// The ids that the fresh messages must be published with, where they are known before.
  private(set) var ids: [MessageID?]
  var intents: [Intent?]

  init(index: IdempotencyIndex, count: Int) {
    self.index = index
    duplicates = Array(repeating: nil, count: count)
    ids = Array(repeating: nil, count: count)
    intents = Array(repeating: nil, count: count)
  }

  deinit { index.release(locked) }

  /// The indices of the messages that must be published, rising; those without a key among them.
  var fresh: [Int] { duplicates.indices.filter { duplicates[$0] == nil } }

  mutating func number(_ fresh: [Int], from first: UInt64) {
    for (offset, message) in fresh.enumerated() {
      ids[message] = MessageID(
        process: ProcessIdentity.pid, counter: first &+ UInt64(offset))
    }
  }

  /// The message `message` is on the bus.
  mutating func confirm(_ message: Int, id: MessageID) {
    guard let intent = intents[message].take() else { return }
    index.settle(intent, id)
  }

  /// The message `message` is certainly not on the bus.
  mutating func withdraw(_ message: Int) {
    guard let intent = intents[message].take() else { return }
    index.settle(intent, nil)
  }
}

/// What became of a publish with a key.
enum PublishOutcome: Hashable, Sendable {
  case published(MessageID)
  /// It was published before, and not again.
  case duplicate(of: MessageID?)
}

extension IdempotencyIndex {
  /// Publishes one message unless its key was published before.
  ///
  /// - Parameter publish: is given an id for the message; returns the id that it has, or nil when
  ///   it was not published. If it throws, the message is in doubt.
  /// - Returns: nil when it was not published: by `publish`, or because with ``PublishWait/never``
  ///   somebody else was publishing with the key.
  /// - Throws: what ``claim(_:topic:wait:wasPublished:)`` and `publish` throw.
  func publishOnce(
    _ key: IdempotencyKey, topic: Topic, wait: PublishWait = .blocking,
    wasPublished: (Doubt) throws(BusError) -> MessageID?,
    publish: (MessageID) throws(BusError) -> MessageID?
  ) throws(BusError) -> PublishOutcome? {
    guard var claim = try claim([key], topic: topic, wait: wait, wasPublished: wasPublished) else {
      return nil
    }
    if let original = claim.duplicates[0] { return .duplicate(of: original) }
    guard let proposed = claim.ids[0], let id = try publish(proposed) else {
      claim.withdraw(0)
      return nil
    }
    claim.confirm(0, id: id)
    return .published(id)
  }
}
