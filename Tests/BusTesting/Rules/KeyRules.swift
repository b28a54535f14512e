import ConclaveBus

extension ConformanceRule {
  static let keyRules = [
    ConformanceRule(
      "a message with an idempotency key is published once on its topic",
      where: { $0.remembersKeys }, check: { try await keysAreOncePerTopic($0) }),
    ConformanceRule(
      "a batch leaves out what was published, counts it, and numbers without a hole",
      where: { $0.remembersKeys }, check: { try await batchesLeaveOut($0) }),
    ConformanceRule(
      "threads that publish the same keys publish each once", where: { $0.remembersKeys },
      check: { try await threadsPublishOnce($0) }),
    ConformanceRule(
      "a transport that remembers no keys says so, and publishes nothing of the batch",
      where: { !$0.remembersKeys }, check: { try await keysAreRefused($0) }),
  ]

  private static func keyed(_ number: Int, _ key: String?) throws -> Message {
    var message = try numbered(number)
    message.idempotencyKey = try key.map { try IdempotencyKey($0) }
    return message
  }

  private static func keysAreOncePerTopic(_ fixture: any BusFixture) async throws {
    let (bus, other) = (try fixture.makeBus(), try fixture.makeBus())
    let subscription = try bus.subscribe(options: lossless())
    let (topic, second) = (try Topic("topic"), try Topic("topic.second"))
    try await bus.publish(keyed(1, "key"), to: topic)
    try await bus.publish(keyed(2, "key"), to: topic)
    try await other.publish(keyed(3, "key"), to: topic)
    try await other.publish(keyed(4, "Key"), to: topic)
    try await bus.publish(keyed(5, "key"), to: second)
    try await bus.publish(keyed(6, nil), to: topic)
    try await bus.publish(keyed(6, nil), to: topic)
    let read = try await subscription.readMessages(5)
    let first = read.filter { $0.topic == topic }
    try expectEqual(first.numbers.sorted { ($0 ?? 0) < ($1 ?? 0) }, [1, 4, 6, 6], "messages")
    try expectEqual(read.filter { $0.topic == second }.numbers, [5], "messages on another topic")
    for envelope in read {
      let expected: String? =
        switch Payloads.number(of: envelope.payload) {
        case 4: "Key"
        case 6: nil
        default: "key"
        }
      try expectEqual(envelope.idempotencyKey?.text, expected, "the key of \(envelope.id)")
    }
    try expectEqual(try subscription.pollAll(), [], "what follows the messages")
  }

  private static func batchesLeaveOut(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let subscription = try bus.subscribe(options: lossless())
    let topic = try Topic("topic")
    let batch = try [
      keyed(1, "a"), keyed(2, nil), keyed(3, "a"), keyed(4, String(repeating: "k", count: 200)),
      keyed(5, "é\"\\ "),
    ]
    for _ in 0..<2 {
      let published = try bus.publish(batch, to: topic, wait: .never)
      try expectEqual(published, 5, "the count of a batch with duplicates")
    }
    let read = try await subscription.readMessages(5)
    try expectEqual(read.numbers, [1, 2, 4, 5, 2], "what the batches published")
    try expectEqual(read.map(\.seq), [1, 2, 3, 4, 5], "their numbers")
    try expectEqual(read[3].idempotencyKey?.text, "é\"\\ ", "a key with signs")
    try expectEqual(try subscription.pollAll(), [], "what follows the messages")
  }

  private static func threadsPublishOnce(_ fixture: any BusFixture) async throws {
    let buses = try (0..<2).map { _ in try fixture.makeBus() }
    let subscription = try buses[0].subscribe(options: lossless(capacity: 200))
    let topic = try Topic("topic")
    try await onThreads(6) { thread in
      for number in 0..<50 {
        let messages = [try keyed(number, "\(number)")]
        let published = try buses[thread % 2].publish(messages, to: topic, wait: .blocking)
        try expectEqual(published, 1, "the count of a publish with a key")
      }
    }
    let read = try await subscription.readMessages(50)
    try expectEqual(Set(read.numbers), Set(0..<50), "the messages of six threads")
    try expectEqual(try subscription.pollAll(), [], "what follows the messages")
  }

  private static func keysAreRefused(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let subscription = try bus.subscribe(options: lossless())
    let topic = try Topic("topic")
    try await expectError(.unsupported, from: "a message with a key") {
      try await bus.publish(keyed(1, "key"), to: topic)
    }
    try await expectError(.unsupported, from: "a batch that ends with a key") {
      try await bus.publish([keyed(2, nil), keyed(3, "key")], to: topic)
    }
    try await bus.publish(keyed(4, nil), to: topic)
    let read = try await subscription.readMessages(1)
    try expectEqual(read.numbers, [4], "the message without a key")
    try expectEqual(read[0].seq, 1, "its seq, since a refused message uses none")
  }
}
