/// What a transport implements for ``Subscription``.
///
/// ``Subscription`` calls ``drain(limit:onGap:onMessage:)`` and ``park(until:)`` from one thread at
/// a time; ``wake()``, ``close()`` and ``cancel()`` may come from any thread meanwhile.
public protocol SubscriptionSource: AnyObject, Sendable {
  /// Hands out what is ready, in order, without blocking: at most `limit` deliveries.
  ///
  /// - Returns: how many deliveries were handed out, and whether none will ever follow.
  /// - Throws: `corrupt`, `system`; the subscription ends with that error. What was lent before it
  ///   need not be what was published.
  func drain(
    limit: Int, onGap: (Gap) -> Void, onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) throws(BusError) -> DrainResult

  /// Appends what is ready, in order, as values that may be kept: at most `limit` deliveries. What
  /// a transport that holds whole envelopes implements to share instead of copying; all others get
  /// it from ``drain(limit:onGap:onMessage:)``.
  ///
  /// - Returns, throws: as ``drain(limit:onGap:onMessage:)``.
  func take(limit: Int, into deliveries: inout [Delivery]) throws(BusError) -> DrainResult

  /// Blocks the calling thread until there may be something to drain, until ``wake()``, or until
  /// the deadline. May return early for no reason.
  func park(until deadline: ContinuousClock.Instant?)

  /// Ends a ``park(until:)`` that is under way, or else the next one.
  func wake()

  /// No more messages will be accepted; what is buffered can still be drained.
  func close()

  /// Whether what the last ``drain(limit:onGap:onMessage:)`` has lent before it threw need not be
  /// what was published, so that it is not kept; otherwise it comes before the error. False unless
  /// a source says more.
  var hasLentNonsense: Bool { get }

  /// Releases what this subscription holds (buffer, lane positions, descriptors). Idempotent.
  func cancel()

  /// What was lost or damaged so far.
  var losses: SubscriptionLosses { get }
}

extension SubscriptionSource {
  public func take(limit: Int, into deliveries: inout [Delivery]) throws(BusError) -> DrainResult {
    var copies: [Delivery] = []
    swap(&copies, &deliveries)
    defer { swap(&copies, &deliveries) }
    let before = copies.count
    do throws(BusError) {
      return try drain(
        limit: limit, onGap: { copies.append(.gap($0)) },
        onMessage: { view, payload in copies.append(.envelope(view.envelope(payload: payload))) })
    } catch {
      if hasLentNonsense { copies.removeSubrange(before...) }
      throw error
    }
  }

  public var hasLentNonsense: Bool { false }
}

/// See ``SubscriptionSource/drain(limit:onGap:onMessage:)``.
public struct DrainResult: Hashable, Sendable {
  public var count: Int
  public var ended: Bool

  public init(count: Int, ended: Bool) {
    self.count = count
    self.ended = ended
  }
}

/// What a subscription has missed since it began; all counters only rise.
public struct SubscriptionLosses: Hashable, Sendable {
  /// Messages reported in gaps.
  public var lostMessages: UInt64 = 0
  /// Gap deliveries.
  public var gaps: UInt64 = 0
  /// Episodes in which the subscriber was too slow.
  public var episodes: UInt64 = 0
  /// Lines or records that were skipped because they were damaged, and files that cannot be used.
  public var damaged: UInt64 = 0
  /// Large messages whose sender died before the end.
  public var abandoned: UInt64 = 0
  /// How often messages that it was to have were found removed, with their files. Gaps tell those
  /// of them whose numbers can be known; how many the others are nobody knows.
  public var removals: UInt64 = 0

  /// Whether nothing was lost and nothing damaged.
  public var isNone: Bool {
    lostMessages == 0 && damaged == 0 && abandoned == 0 && removals == 0
  }

  public init() {}

  /// Counts a gap. Numbers come from other processes, so the sum may not trap.
  mutating func noteGap(of count: UInt64) {
    gaps += 1
    lostMessages = lostMessages.addingSaturating(count)
  }
}
