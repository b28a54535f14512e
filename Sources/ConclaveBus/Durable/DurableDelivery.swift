/// A message that a durable subscription hands out, to be acknowledged.
public struct DurableDelivery: Hashable, Sendable {
  public let envelope: Envelope
  /// 1 for the first time; the number of the attempt that this is.
  ///
  /// A message counts as delivered when a member has claimed it: of a member that was killed, some
  /// that it had claimed and not handed out count as well.
  public let attempt: Int
  /// What was found missing in front of this message. Each member of a group reports what it finds.
  public let gaps: [Gap]
  /// Which of the member's deliveries this is: they are acknowledged in this order by
  /// ``DurableSubscription/acknowledge(upTo:)-(DurableDelivery)``.
  let number: UInt64
  /// Its place in the log.
  let position: UInt64

  /// Whether it may have been delivered before.
  public var redelivered: Bool { attempt > 1 }
}
