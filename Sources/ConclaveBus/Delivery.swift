/// What a subscription yields: a message, or the news that messages are missing.
public enum Delivery: Hashable, Sendable {
  case envelope(Envelope)
  case gap(Gap)
}

/// Messages of one sender on one topic that this subscription will never deliver, each counted
/// once.
public struct Gap: Hashable, Sendable {
  public enum Reason: String, Hashable, Sendable {
    /// The ring went round before the subscriber had read them.
    case overrun
    /// The subscription's queue was full.
    case dropped
    /// They are not in the file any more, or were damaged there.
    case missing
    /// The rules of retention have removed them, as far as can be told.
    case removed
  }

  public let sender: String
  public let topic: Topic
  /// The sending process's pid, for display.
  public let process: UInt32
  /// See ``Envelope/incarnation``.
  public let incarnation: UInt64
  /// The first and the last number that are missing, both inclusive.
  public let seq: ClosedRange<UInt64>
  public let reason: Reason

  /// How many messages are missing; at least 1, and `UInt64.max` for all there can be.
  public var count: UInt64 { (seq.upperBound - seq.lowerBound).addingSaturating(1) }

  public init(
    sender: String, topic: Topic, process: UInt32, incarnation: UInt64, seq: ClosedRange<UInt64>,
    reason: Reason
  ) {
    self.sender = sender
    self.topic = topic
    self.process = process
    self.incarnation = incarnation
    self.seq = seq
    self.reason = reason
  }
}

/// Something a person may want to know that is neither a message nor an error.
public enum BusWarning: Hashable, Sendable {
  /// The subscriber is too slow; deliveries will contain gaps. Once per episode.
  case overrun
  /// The queue of a ``ChannelBus`` subscription is full; deliveries will contain gaps. Once per
  /// episode.
  case queueFull(capacity: Int)
  /// A line of a topic file is not an envelope and was skipped.
  case damagedLine(file: String, offset: UInt64, reason: String)
  /// What bears a topic file's name cannot be used as one, and is passed over until it is moved
  /// away.
  case unusableFile(file: String, reason: String)
  /// A topic file was cut off or replaced while it was being read.
  case fileReplaced(file: String)
  /// Rotated files of a topic were removed before this subscription had read them: those with the
  /// numbers `numbers`, both inclusive. What was in them is missing. Once for each file.
  case filesRemoved(topic: Topic, numbers: ClosedRange<UInt64>)
  /// A topic's file has become too long and could not be rotated: it becomes longer still.
  case rotationFailed(topic: Topic, reason: String)
  /// The rules of retention could not be enforced, wholly or in part. Once for each reason.
  case retentionFailed(reason: String)
  /// A file was removed by the rules of retention that held messages which the durable subscription
  /// `subscription` had not acknowledged.
  case retentionOvertook(subscription: String, topic: Topic)
  /// The rules of retention have removed messages of `topic` between the place where this
  /// subscription begins, or is, and the next one there is: at least one, in at most so many
  /// places of the log (`UInt64.max`: nobody knows). Where the numbers of what it was to have can
  /// be known, gaps `removed` tell them as well. Once for each stretch.
  case messagesRemoved(topic: Topic, places: UInt64)
  /// A record in shared memory is damaged and was skipped. For the first eight of a subscription,
  /// then for every power of two; ``SubscriptionLosses/damaged`` counts all.
  case damagedRecord(position: UInt64, reason: String)
  /// The segment that was joined holds what no participant wrote: messages may be missing, or never
  /// come.
  case damagedSegment(reason: String)
  /// The segment at `path` could not be used, by anybody, and was replaced by a new one.
  case segmentReplaced(path: String, reason: String)
  /// A sender died in the middle of a large message, which was therefore never published.
  case abandonedMessage(process: UInt32)
  /// The mirror could not copy so many messages into the files.
  case unmirrored(count: UInt64, reason: String)
  /// The mirror cannot write; it tries again until it can.
  case mirrorFailing(reason: String)
  /// The mirror can write again.
  case mirrorRecovered
  /// What was written lately could not be forced to the disk.
  case syncFailed(reason: String)
  /// This process is the mirror from now on.
  case mirrorTaken
  /// This process cannot become the mirror.
  case mirrorRefused(reason: String)
  /// A durable subscription has lost so many places of the log, claimed or not acknowledged.
  case durableLoss(name: String, count: UInt64, reason: String)
  /// A message of a durable subscription was given up, and is in its dead letters.
  case deadLettered(name: String, id: MessageID?, reason: String)
  /// A message could not be given up yet; it is tried again.
  case deadLetterFailed(name: String, reason: String)
  /// inotify is not available here; the bus polls instead.
  case pollingInstead(reason: String)
}
