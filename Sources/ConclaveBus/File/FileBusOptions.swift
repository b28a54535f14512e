/// How a ``FileBus`` writes and how its subscriptions wait.
public struct FileBusOptions: Sendable {
  /// When what was published is forced to the disk. Without it, messages survive the death of any
  /// process, but the last seconds of them not a power cut.
  public enum SyncPolicy: Hashable, Sendable {
    /// Never: the system writes when it likes.
    case never
    /// Before each publish returns.
    case everyPublish
    /// At most `interval` after each publish, for all that were published meanwhile together.
    case grouped(interval: Duration)
  }

  public var syncPolicy: SyncPolicy
  /// How often a subscription looks for news where inotify does not work.
  public var pollInterval: Duration
  /// How seldom it looks after it has found nothing for a while: the interval doubles with each
  /// look after the fifth in vain, up to this.
  public var pollMaxInterval: Duration
  /// The largest payload in bytes. Longer lines in the files are skipped and reported.
  public var messageLimit: Int
  /// Whether subscriptions let inotify wake them; false makes them poll.
  public var useInotify: Bool

  /// How long a publish waits for a topic file's lock, which is held for microseconds: only a
  /// process that was stopped meanwhile keeps it longer. Then the publish fails with `busy`.
  public var lockPatience: Duration

  /// For how long the keys of messages that have one are remembered.
  public var idempotency: IdempotencyOptions

  /// What is kept of the topics. Without rules nothing is ever removed.
  ///
  /// Whoever publishes with rules enforces them, about once a second, for all topics in the bus
  /// directory: see ``FileBus/enforceRetention(now:)``.
  public var retention: RetentionRules?
  /// How long a topic's file becomes, in bytes, before it is put aside (rotated) and a new one
  /// begun. Nil: topics with a rule rotate as it needs, at 256 MiB at most; all others never.
  public var rotateBytes: Int?
  /// Asked before a file is removed, by the thread that enforces the rules.
  public var retentionGuard: RetentionGuard?
  /// Called with what publishing and the rules bring to light, from the thread where it happens;
  /// must not block.
  public var onWarning: (@Sendable (BusWarning) -> Void)?

  public init(
    syncPolicy: SyncPolicy = .never, pollInterval: Duration = .milliseconds(100),
    pollMaxInterval: Duration = .seconds(1), messageLimit: Int = 16 << 20, useInotify: Bool = true,
    lockPatience: Duration = .seconds(10), idempotency: IdempotencyOptions = IdempotencyOptions(),
    retention: RetentionRules? = nil, rotateBytes: Int? = nil,
    onWarning: (@Sendable (BusWarning) -> Void)? = nil
  ) {
    self.syncPolicy = syncPolicy
    self.pollInterval = pollInterval
    self.pollMaxInterval = pollMaxInterval
    self.messageLimit = messageLimit
    self.useInotify = useInotify
    self.lockPatience = lockPatience
    self.idempotency = idempotency
    self.retention = retention
    self.rotateBytes = rotateBytes
    self.onWarning = onWarning
  }

  /// The longest line: a payload of the greatest size, the names, and in a payload that is laid out
  /// over many lines the places of its line feeds.
  var lineLimit: Int { 2 * max(messageLimit, 0) + (64 << 10) }

  /// How long the file of `topic` must be to be rotated before the next append, in bytes.
  func rotationLimit(for topic: Topic) -> UInt64 {
    if let rotateBytes { return UInt64(max(rotateBytes, 1)) }
    return retention?.policy(for: topic)?.rotationLimit ?? .max
  }
}
