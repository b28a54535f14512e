import BusTesting
import ConclaveBus

/// A bus whose subscriptions, but those that hold publishers back, may write nothing into shared
/// memory. All else is as on the bus that it wraps, and so must be what they receive.
final class ReadOnlyFixture: BusFixture {
  private let inner: any BusFixture
  /// Makes the segment, which those who only read cannot.
  private let keeper: any MessageBus

  init(_ inner: any BusFixture) throws {
    self.inner = inner
    keeper = try inner.makeBus()
    keeper.unsubscribe(from: try keeper.subscribe(to: .all, options: SubscriptionOptions()).prefix)
  }

  deinit { keeper.close() }

  func makeBus() throws -> any MessageBus { ReadOnlyBus(try inner.makeBus()) }

  var transportName: String { "\(inner.transportName), read-only" }
  var sharesAcrossHandles: Bool { inner.sharesAcrossHandles }
  var losesWhenSlow: Bool { inner.losesWhenSlow }
  var makesPublishersWait: Bool { inner.makesPublishersWait }
  var keepsMessages: Bool { inner.keepsMessages }
  var ordersAcrossTopics: Bool { inner.ordersAcrossTopics }
  var remembersKeys: Bool { inner.remembersKeys }
  var largestPayload: Int { inner.largestPayload }
  var overfill: Int { inner.overfill }
  func settle() -> Bool { inner.settle() }
}

private final class ReadOnlyBus: MessageBus {
  private let bus: any MessageBus

  init(_ bus: any MessageBus) { self.bus = bus }

  func publish(
    _ messages: [Message], to topic: Topic, wait: PublishWait
  ) throws(PublishFailure) -> Int {
    try bus.publish(messages, to: topic, wait: wait)
  }

  func publisher(topic: Topic, sender: String, type: String) throws(BusError) -> Publisher {
    try bus.publisher(topic: topic, sender: sender, type: type)
  }

  func subscribe(
    to prefix: TopicPrefix, options: SubscriptionOptions
  ) throws(BusError) -> Subscription {
    var options = options
    options.isReadOnly = options.policy == .dropping
    return try bus.subscribe(to: prefix, options: options)
  }

  func unsubscribe(from prefix: TopicPrefix) { bus.unsubscribe(from: prefix) }

  func close() { bus.close() }
}
