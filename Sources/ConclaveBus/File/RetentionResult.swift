/// A rotated file that is about to be removed by the rules of retention.
public struct RetiredTopicFile: Hashable, Sendable {
  public let topic: Topic
  /// Its number among the topic's files: the lower, the older.
  public let number: UInt64
  public let bytes: UInt64
  /// The id and the time stamp of its last message; nil when its last line is none.
  public let lastID: MessageID?
  public let lastTimestamp: Timestamp?
  /// The greatest ``Envelope/position`` in it; nil when no message in it has one.
  public let lastPosition: UInt64?
}

/// Says which durable subscriptions have messages in a file that they have not acknowledged, by
/// name. The file is removed nevertheless, and for each name a ``BusWarning`` is given:
/// `retentionOvertook`. Called from the thread that enforces the rules, for one file at a time.
public typealias RetentionGuard = @Sendable (RetiredTopicFile) -> [String]

/// What enforcing the rules of retention has done to one topic, or would do.
public struct RetentionResult: Hashable, Sendable {
  public let topic: Topic
  /// Whether the file that was appended to was put aside, so that a new one begins.
  public internal(set) var isRotated = false
  /// How many files were removed, of how many bytes and messages together.
  public internal(set) var files = 0
  public internal(set) var bytes: UInt64 = 0
  public internal(set) var messages: UInt64 = 0
  /// The durable subscriptions that have lost messages by it, sorted.
  public internal(set) var overtaken: [String] = []

  /// Whether nothing was done.
  public var isNothing: Bool { !isRotated && files == 0 }

  init(topic: Topic) { self.topic = topic }
}
