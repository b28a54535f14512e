/// A message as subscribers receive it: what was said, by whom, when, and as which number.
public struct Envelope: Hashable, Sendable {
  /// Unique over all processes and restarts.
  public let id: MessageID
  /// 1, 2, 3 ... without holes per (process, ``sender``, ``topic``). A 1 is a new incarnation of
  /// the sender.
  public let seq: UInt64
  /// When it was published, by the publisher's clock. Decoration: nothing is ordered by it.
  public let timestamp: Timestamp
  public let sender: String
  public let topic: Topic
  public let type: String
  public let payload: RawJSON
  /// Which opening of the bus by the sending process this comes from: microseconds since the epoch,
  /// greater each time. With the process of ``id`` it tells apart what a reused pid would confuse.
  /// 0 when a foreign writer did not say.
  public let incarnation: UInt64
  /// The place in the bus's total order, where the transport has one.
  public let position: UInt64?
  /// The key that the publisher gave it so that it is published once.
  public let idempotencyKey: IdempotencyKey?

  public init(
    id: MessageID, seq: UInt64, timestamp: Timestamp, sender: String, topic: Topic, type: String,
    payload: RawJSON, incarnation: UInt64 = 0, position: UInt64? = nil,
    idempotencyKey: IdempotencyKey? = nil
  ) {
    self.id = id
    self.seq = seq
    self.timestamp = timestamp
    self.sender = sender
    self.topic = topic
    self.type = type
    self.payload = payload
    self.incarnation = incarnation
    self.position = position
    self.idempotencyKey = idempotencyKey
  }
}

/// `{pid}-{counter}`: the counter rises by one per message of the process and begins at the
/// process's start, in nanoseconds since the epoch, so that an id does not come again when the
/// kernel reuses a pid or when every container has pid 1. (Nanoseconds, because no process
/// publishes more than one message a nanosecond: the counter never overtakes the clock, so a
/// successor begins above it.)
public struct MessageID: Hashable, Sendable {
  public let process: UInt32
  public let counter: UInt64

  public init(process: UInt32, counter: UInt64) {
    self.process = process
    self.counter = counter
  }

  /// The id that `description` prints, or nil when `text` is not one.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let process = UInt32(parts[0]), let counter = UInt64(parts[1]) else {
      return nil
    }
    self.init(process: process, counter: counter)
  }
}

extension MessageID: CustomStringConvertible {
  public var description: String { "\(process)-\(counter)" }
}
