import ConclaveBus

extension ConformanceRule {
  static let endingRules = [
    ConformanceRule("close ends subscriptions after what they hold") {
      try await closeEndsBehindTheBuffered($0)
    },
    ConformanceRule("everything but reading fails after close, always alike") {
      try await closedIsClosed($0)
    },
    ConformanceRule("close wakes whoever waits for a message") { fixture in
      try await endWakes(fixture) { bus, _ in bus.close() }
    },
    ConformanceRule("cancel wakes whoever waits for a message") { fixture in
      try await endWakes(fixture) { _, subscription in subscription.cancel() }
    },
    ConformanceRule("unsubscribe wakes whoever waits for a message") { fixture in
      try await endWakes(fixture) { bus, subscription in bus.unsubscribe(from: subscription.prefix)
      }
    },
    ConformanceRule(
      "closing one handle ends nothing of another", where: { $0.sharesAcrossHandles }
    ) {
      try await closeIsLocal($0)
    },
  ]

  private static func closeEndsBehindTheBuffered(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let full = try bus.subscribe(options: lossless())
    let begun = try bus.subscribe(options: lossless())
    let empty = try bus.subscribe("nothing", options: lossless())
    for number in 0..<10 { try await bus.say(number) }
    try expectEqual(try await begun.readMessages(3).numbers, [0, 1, 2], "messages before close")
    bus.close()
    bus.close()
    try expect(!full.isEnded, "messages before the end", saw: "the end")
    try expectEqual(try await full.readToEnd().messages().numbers, (0..<10).map { $0 }, "messages")
    try expectEqual(try await begun.readToEnd().messages().numbers, (3..<10).map { $0 }, "messages")
    try expectEqual(try await empty.readToEnd(), [], "nothing")
    var iterator = full.makeAsyncIterator()
    try expectEqual(try await iterator.next(), nil, "the end by iteration")
    try expectEqual(try full.drain { _, _ in }, 0, "nothing by drain")
    bus.close()
  }

  private static func closedIsClosed(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let topic = try Topic("topic")
    let subscription = try bus.subscribe(options: lossless())
    let publisher = try bus.publisher(topic: topic, sender: "sender", type: "test")
    try await publisher.publish(Payloads.numbered(0))
    bus.close()
    let calls: [(String, () async throws -> Void)] = [
      ("publish", { try await bus.say(1) }),
      ("a batch", { try await bus.sayAll([1, 2]) }),
      ("a batch without waiting", { _ = try bus.publish([numbered(1)], to: topic, wait: .never) }),
      ("a handle", { try await publisher.publish(Payloads.numbered(1)) }),
      ("tryPublish", { _ = try publisher.tryPublish(Payloads.numbered(1)) }),
      ("a handle's batch", { try await publisher.publish(batch: [Payloads.numbered(1)]) }),
      ("publisher", { _ = try bus.publisher(topic: topic, sender: "sender", type: "test") }),
      ("subscribe", { _ = try bus.subscribe("topic") }),
    ]
    for (name, call) in calls { try await expectError(.closed, from: "\(name) after close", call) }
    let envelopes = try await subscription.readToEnd().messages()
    try expectEqual(envelopes.numbers, [0], "what was published before close")
    bus.unsubscribe(from: .all)
    subscription.cancel()
    bus.close()
  }

  /// Three ways of waiting, ended by `end` while they sleep or just before.
  private static func endWakes(
    _ fixture: any BusFixture, _ end: @Sendable (any MessageBus, Subscription) -> Void
  ) async throws {
    let bus = try fixture.makeBus()
    let received = try bus.subscribe("a", options: lossless())
    let iterated = try bus.subscribe("b", options: lossless())
    let waited = try bus.subscribe("c", options: lossless())
    async let blocked = onThread { try received.receive() }
    async let suspended = iterated.first { _ in true }
    async let drained = onThread {
      var handed = 0
      while !waited.isEnded {
        waited.wait()
        handed += try waited.drain { _, _ in }
      }
      return handed
    }
    await pauseForSleepers()
    for subscription in [received, iterated, waited] { end(bus, subscription) }
    try expectEqual(try await blocked, nil, "the end by receive")
    try expectEqual(try await suspended, nil, "the end by iteration")
    try expectEqual(try await drained, 0, "the end by wait and drain")
    try expect(received.isEnded && iterated.isEnded, "the end", saw: "a subscription that goes on")
  }

  private static func closeIsLocal(_ fixture: any BusFixture) async throws {
    let (closed, open) = (try fixture.makeBus(), try fixture.makeBus())
    let subscription = try open.subscribe(options: lossless())
    try await closed.say(1)
    closed.close()
    try await open.say(2)
    try expectEqual(try await subscription.readMessages(2).numbers, [1, 2], "messages")
    try expect(!subscription.isEnded, "a subscription that goes on", saw: "its end")
  }
}
