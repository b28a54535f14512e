import ConclaveBus

extension MessageBus {
  /// Publishes one numbered message, waiting where it must without blocking the thread.
  func say(_ number: Int, as sender: String = "sender", on topic: String = "topic") async throws {
    try await publish(numbered(number, sender), to: Topic(topic))
  }

  /// Publishes numbered messages as one batch.
  func sayAll(
    _ numbers: some Sequence<Int>, as sender: String = "sender", on topic: String = "topic"
  ) async throws {
    try await publish(numbers.map { try numbered($0, sender) }, to: Topic(topic))
  }

  /// Publishes numbered messages one by one until a subscription has no room; the next number.
  func sayUntilFull(
    _ fixture: any BusFixture, from first: Int = 0, as sender: String = "sender",
    on topic: String = "topic"
  ) throws -> Int {
    let publisher = try publisher(topic: Topic(topic), sender: sender, type: "test")
    for number in first..<first + fixture.overfill {
      if try !publisher.tryPublish(Payloads.numbered(number), fixture) { return number }
    }
    throw Violation(
      expected: "back pressure within \(fixture.overfill) messages", seen: "none")
  }
}

extension Publisher {
  /// As `tryPublish`, once more where the bus itself was in the way.
  func tryPublish(_ payload: RawJSON, _ fixture: any BusFixture) throws -> Bool {
    if try tryPublish(payload) { return true }
    return try fixture.settle() && tryPublish(payload)
  }
}

func numbered(_ number: Int, _ sender: String = "sender") throws -> Message {
  Message(type: "test", sender: sender, payload: try Payloads.numbered(number))
}

/// Options for subscriptions that must not lose anything.
func lossless(capacity: Int = 64) -> SubscriptionOptions {
  SubscriptionOptions(policy: .backPressure(timeout: nil), capacity: capacity)
}

/// Options for subscriptions that lose what does not fit.
func lossy(
  capacity: Int = 8, onWarning: (@Sendable (BusWarning) -> Void)? = nil
) -> SubscriptionOptions {
  SubscriptionOptions(policy: .dropping, capacity: capacity, onWarning: onWarning)
}

extension Publisher {
  /// Publishes a batch, waiting where it must on a thread of its own.
  func publish(batch payloads: [RawJSON]) async throws {
    try await onThread { _ = try self.publish(batch: payloads, wait: .blocking) }
  }
}
