/// How a durable subscription begins and what it does with messages that are not acknowledged.
public struct DurableOptions: Sendable {
  /// Where the name begins that nobody has used before. With a time it begins at the first message
  /// of that time or later, and has all that is behind it in the log.
  public var start: SubscriptionOptions.Start
  /// How often a message is delivered at most before it goes to the topic `dead-letter.{name}`; at
  /// least 1.
  public var retryLimit: Int
  /// After which time a message that its member has not acknowledged is given to another, though
  /// the member lives. nil: only when the member dies, closes or rejects it.
  public var redeliverAfter: Duration?
  /// How many messages a member claims for itself at a time; at least 1. Many are fast; few divide
  /// work well that takes long. With ``redeliverAfter``, or a ``retryLimit`` of 1, it is always
  /// one.
  public var prefetch: Int
  /// How many messages a member may have that it has not acknowledged; then it is given no more.
  public var unacknowledgedLimit: Int
  /// How long to wait at most for another process that keeps the journal locked; such a one was
  /// stopped, since locks take microseconds.
  public var lockPatience: Duration
  /// Called from the thread that reads the subscription; must not block.
  public var onWarning: (@Sendable (BusWarning) -> Void)?

  public init(
    start: SubscriptionOptions.Start = .now, retryLimit: Int = 5, redeliverAfter: Duration? = nil,
    prefetch: Int = 64, unacknowledgedLimit: Int = 65_536, lockPatience: Duration = .seconds(10),
    onWarning: (@Sendable (BusWarning) -> Void)? = nil
  ) {
    self.start = start
    self.retryLimit = retryLimit
    self.redeliverAfter = redeliverAfter
    self.prefetch = prefetch
    self.unacknowledgedLimit = unacknowledgedLimit
    self.lockPatience = lockPatience
    self.onWarning = onWarning
  }

  var boundedRetryLimit: Int { max(1, min(retryLimit, 1 << 30)) }

  /// One where it matters that a message counts as delivered only when it is.
  var claimSize: Int {
    redeliverAfter != nil || boundedRetryLimit == 1 ? 1 : max(1, min(prefetch, 4096))
  }
}
