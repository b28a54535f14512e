import BusTesting
import ConclaveBus
import SharedRing

/// A defect that the conformance suite must find.
enum Fault: String, CaseIterable, Sendable {
  case skipsANumber, deliversTwice, losesAMessage, losesTheFirst, changesPayloads, repeatsIDs
  case countsPerProcess, swapsNeighbours, matchesByLetters
  case hidesGaps, understatesGaps, tellsGapsLate, warnsTwice
  case ignoresClose, publishesAfterClose, endsWithoutTheBuffered
  case unsubscribesTooMuch, unsubscribesNothing, ignoresWake
  case dropsInsteadOfWaiting, waitsInsteadOfDropping, hidesTimeouts, limitsTooEarly
  case ignoresKeys
}

/// A ``ChannelBus`` with one defect, or with none.
final class BrokenBus: MessageBus {
  private struct Subscriber {
    let prefix: TopicPrefix
    weak var subscription: Subscription?
  }

  private let bus = ChannelBus()
  private let fault: Fault?
  private let subscribers = Lock<[Subscriber]>([])

  init(_ fault: Fault?) { self.fault = fault }

  func publish(
    _ messages: [Message], to topic: Topic, wait: PublishWait
  ) throws(PublishFailure) -> Int {
    if fault == .limitsTooEarly, messages.contains(where: { $0.payload.bytes.count > 65_535 }) {
      throw PublishFailure(BusError(.messageTooLarge, "a fault"))
    }
    var messages = messages
    if fault == .ignoresKeys {
      for index in messages.indices { messages[index].idempotencyKey = nil }
    }
    do throws(PublishFailure) {
      return try bus.publish(messages, to: topic, wait: wait)
    } catch {
      if fault == .publishesAfterClose, error.cause.code == .closed { return messages.count }
      if fault == .hidesTimeouts, error.cause.code == .backPressureTimedOut {
        return messages.count
      }
      throw error
    }
  }

  func publisher(topic: Topic, sender: String, type: String) throws(BusError) -> Publisher {
    _ = try bus.publisher(topic: topic, sender: sender, type: type)
    return Publisher(
      topic: topic, sender: sender, type: type,
      endpoint: BrokenEndpoint(bus: self, topic: topic, sender: sender, type: type))
  }

  func subscribe(
    to prefix: TopicPrefix, options: SubscriptionOptions
  ) throws(BusError) -> Subscription {
    var options = options
    switch fault {
    case .dropsInsteadOfWaiting: options.policy = .dropping
    case .waitsInsteadOfDropping: options.policy = .backPressure(timeout: nil)
    case .warnsTwice:
      options.onWarning = { [warn = options.onWarning] warning in
        warn?(warning)
        warn?(warning)
      }
    default: break
    }
    let inner = try bus.subscribe(to: fault == .matchesByLetters ? .all : prefix, options: options)
    return subscribers.withLock { subscribers in
      let source = BrokenSource(inner, prefix: prefix, index: subscribers.count, fault: fault)
      let subscription = Subscription(prefix: prefix, source: source)
      subscribers.append(Subscriber(prefix: prefix, subscription: subscription))
      return subscription
    }
  }

  func unsubscribe(from prefix: TopicPrefix) {
    if fault == .unsubscribesNothing { return }
    let ended = subscribers.withLock { subscribers in
      subscribers.filter { [fault] subscriber in
        subscriber.prefix == prefix
          || fault == .unsubscribesTooMuch && subscriber.prefix.name.hasPrefix(prefix.name)
      }.compactMap(\.subscription)
    }
    for subscription in ended { subscription.cancel() }
  }

  func close() {
    if fault == .ignoresClose { return }
    if fault == .endsWithoutTheBuffered {
      for subscription in subscribers.withLock({ $0.compactMap(\.subscription) }) {
        subscription.cancel()
      }
    }
    bus.close()
  }
}

private final class BrokenEndpoint: PublisherEndpoint {
  private let bus: BrokenBus
  private let topic: Topic
  private let sender: String
  private let type: String

  init(bus: BrokenBus, topic: Topic, sender: String, type: String) {
    self.bus = bus
    self.topic = topic
    self.sender = sender
    self.type = type
  }

  func publish(validated payload: RawSpan, wait: PublishWait) throws(BusError) -> Bool {
    let payload = try RawJSON(unsafe payload.withUnsafeBytes { unsafe Array($0) })
    do throws(PublishFailure) {
      return try publish(validated: [payload], wait: wait) == 1
    } catch { throw error.cause }
  }

  func publish(validated payloads: [RawJSON], wait: PublishWait) throws(PublishFailure) -> Int {
    try bus.publish(
      payloads.map { Message(type: type, sender: sender, payload: $0) }, to: topic, wait: wait)
  }
}

final class BrokenFixture: BusFixture {
  let transportName: String
  private let bus: BrokenBus

  init(_ fault: Fault?) {
    transportName = "a bus that \(fault.map(\.rawValue) ?? "works")"
    bus = BrokenBus(fault)
  }

  func makeBus() -> any MessageBus { bus }
}
