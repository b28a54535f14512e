public import ConclaveBus

/// A transport as the conformance suite sees it: where buses come from and what may be expected.
///
/// One fixture stands for one bus, fresh and empty when the fixture is made; each rule gets a
/// fixture of its own and may close what it opened. Clean up in `deinit`.
///
/// Where the medium's size can be chosen, small is quick, but an unread subscription with back
/// pressure must be able to hold 600 messages of 100 bytes.
public protocol BusFixture: AnyObject, Sendable {
  /// For messages, for instance `ChannelBus`.
  var transportName: String { get }

  /// A handle on this fixture's bus: another object each time where several objects can share a bus
  /// (``sharesAcrossHandles``), else the same one.
  func makeBus() throws -> any MessageBus

  /// Whether each ``makeBus()`` is an object of its own on the same bus.
  var sharesAcrossHandles: Bool { get }

  /// Whether a `dropping` subscription that is not read loses messages; `FileBus` never does.
  var losesWhenSlow: Bool { get }

  /// Whether publishers wait for a `backPressure` subscription that is not read; for `FileBus` the
  /// file is the buffer.
  var makesPublishersWait: Bool { get }

  /// Whether a subscription can begin with the first message there ever was, or behind any id.
  var keepsMessages: Bool { get }

  /// Whether all subscriptions see one order over all topics, not only within each.
  var ordersAcrossTopics: Bool { get }

  /// Whether a message with an idempotency key is published once; where not, it must be refused
  /// with `unsupported`.
  var remembersKeys: Bool { get }

  /// The greatest payload in bytes, whatever the names; one byte more is refused.
  var largestPayload: Int { get }

  /// Waits until the bus has done what it does by itself with messages that were published, where
  /// that is in the way of a publish that must not wait.
  ///
  /// - Returns: whether there may be room now that was not there before; false where a bus has no
  ///   work of its own.
  func settle() -> Bool

  /// How many messages of 100 bytes of one sender are more than an unread subscription of
  /// ``SubscriptionOptions/capacity`` 8 can hold, where that has a limit.
  var overfill: Int { get }
}

extension BusFixture {
  public var sharesAcrossHandles: Bool { false }
  public var losesWhenSlow: Bool { true }
  public var makesPublishersWait: Bool { true }
  public var keepsMessages: Bool { false }
  public var ordersAcrossTopics: Bool { true }
  public var remembersKeys: Bool { true }
  public var largestPayload: Int { 16 << 20 }
  public var overfill: Int { 40 }
  public func settle() -> Bool { false }
}
