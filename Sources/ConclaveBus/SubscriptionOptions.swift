import SharedRing

/// How a subscription begins and what happens when it is too slow.
public struct SubscriptionOptions: Sendable {
  /// What happens to a subscription that does not keep up.
  public enum Policy: Hashable, Sendable {
    /// Publishers never wait; what is lost is reported as a ``Gap``, with one warning per episode.
    case dropping
    /// Publishers wait until this subscription has room, each publish at most `timeout` (nil: as
    /// long as this subscription lives), after which it fails with `backPressureTimedOut`.
    case backPressure(timeout: Duration?)
  }

  /// Where a subscription begins.
  public enum Start: Hashable, Sendable {
    /// With the first message published after `subscribe` returned.
    case now
    /// With the oldest message that the transport still holds: all of them for `FileBus`, what is
    /// still in the ring for `SharedMemoryBus`, none for `ChannelBus`. That the rules of retention
    /// have removed older ones of a topic is a warning, `messagesRemoved`, and no gap.
    case beginning
    /// Behind the message with this id; `notFound` when the transport does not hold it (any more).
    case after(MessageID)
    /// With the first message of each topic that was published at this time or later, by its time
    /// stamp. For transports that keep messages in files; `unsupported` elsewhere. What the rules
    /// of retention have removed of that shows as gaps `removed`, of senders that began later, as
    /// the warning `messagesRemoved` and in ``SubscriptionLosses/removals``.
    case since(Timestamp)
  }

  public var policy: Policy
  public var start: Start
  /// Whether the kernel is to keep this subscription from writing anything into shared memory: it
  /// maps the segment, which somebody must have made, for reading alone. Nobody can tell it of a
  /// message then, so it looks every 20 ms; it takes no place, and `status` does not show it. For
  /// ``SharedMemoryBus`` and ``MirroredBus``, with the policy `dropping`; `unsupported` elsewhere.
  public var isReadOnly: Bool
  /// How many messages a ``ChannelBus`` subscription buffers; other transports ignore it.
  public var capacity: Int
  /// Called from the thread that reads the subscription (`ChannelBus`: the one that publishes);
  /// must not block.
  public var onWarning: (@Sendable (BusWarning) -> Void)?

  public init(
    policy: Policy = .dropping, start: Start = .now, isReadOnly: Bool = false, capacity: Int = 64,
    onWarning: (@Sendable (BusWarning) -> Void)? = nil
  ) {
    self.policy = policy
    self.start = start
    self.isReadOnly = isReadOnly
    self.capacity = capacity
    self.onWarning = onWarning
  }
}

extension SubscriptionOptions {
  /// How to read a ring.
  ///
  /// - Throws: `unsupported` for back pressure that may write nothing.
  func ringPolicy() throws(BusError) -> RingSubscriber.Policy {
    switch policy {
    case .dropping: return isReadOnly ? .readOnly : .dropping
    case .backPressure(let timeout):
      guard !isReadOnly else {
        throw BusError(
          .unsupported, "a subscription that may write nothing cannot hold publishers back",
          hint: "use the policy 'dropping'")
      }
      return .backPressure(timeoutNanoseconds: timeout?.nanosecondsSaturated ?? .max)
    }
  }

  /// - Throws: `unsupported` for a subscription that is to be read-only.
  func checkNeedsNoSegment() throws(BusError) {
    guard isReadOnly else { return }
    throw BusError(
      .unsupported, "only a bus in shared memory has read-only subscriptions",
      hint: "use SharedMemoryBus or MirroredBus")
  }
}
