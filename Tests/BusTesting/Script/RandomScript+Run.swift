import ConclaveBus

extension RandomScript {
  /// What one observes on a fresh bus, step by step; equal to ``expected()``.
  ///
  /// - Throws: what a bus throws beside `closed`.
  public func run(on fixture: any BusFixture) async throws -> [String] {
    let bus = try fixture.makeBus()
    var subscriptions: [Subscription] = []
    var number = 0
    var result: [String] = []
    for (step, expected) in zip(steps, observations()) {
      result.append(
        try await closedOr {
          switch step {
          case .publish(let sender, let topic, let how):
            try await how.publish(number..<number + how.count, as: sender, on: topic, of: bus)
            number += how.count
            return "published \(how.count)"
          case .subscribe(let prefix):
            subscriptions.append(try bus.subscribe(prefix, options: lossless(capacity: 600)))
            return "subscribed"
          case .unsubscribe(let prefix):
            bus.unsubscribe(from: try TopicPrefix(prefix))
            return "unsubscribed"
          case .cancel(let index):
            subscriptions[index].cancel()
            return "cancelled"
          case .read(let index): return try await read(subscriptions[index], expected.messages)
          case .close:
            bus.close()
            return "closed now"
          }
        })
    }
    return result
  }

  private func closedOr(_ body: () async throws -> String) async throws -> String {
    do {
      return try await body()
    } catch {
      let cause = (error as? BusError) ?? (error as? PublishFailure)?.cause
      if cause?.code == .closed { return "closed" }
      throw error
    }
  }

  /// Waits for the messages that must come, then looks whether there are others.
  private func read(_ subscription: Subscription, _ count: Int) async throws -> String {
    let envelopes = try await subscription.readMessages(count) + subscription.pollAll().messages()
    let lines = envelopes.map { envelope in
      let number = Payloads.number(of: envelope.payload) ?? -1
      return "\(envelope.topic) \(envelope.sender) \(envelope.seq) \(number)"
    }
    return RandomScript.describe(lines, isEnded: subscription.isEnded)
  }
}

extension RandomScript.How {
  fileprivate func publish(
    _ numbers: Range<Int>, as sender: String, on topic: String, of bus: any MessageBus
  ) async throws {
    let topicName = topic
    let topic = try Topic(topicName)
    switch self {
    case .one: try await bus.say(numbers.lowerBound, as: sender, on: topicName)
    case .batch: try await bus.sayAll(numbers, as: sender, on: topicName)
    case .without:
      let fitted = try bus.publish(
        [numbered(numbers.lowerBound, sender)], to: topic, wait: .never)
      try expectEqual(fitted, 1, "messages that fit")
    case .handle:
      let publisher = try bus.publisher(topic: topic, sender: sender, type: "test")
      try await publisher.publish(Payloads.numbered(numbers.lowerBound))
    case .handleBatch:
      let publisher = try bus.publisher(topic: topic, sender: sender, type: "test")
      try await publisher.publish(batch: numbers.map(Payloads.numbered))
    }
  }
}
