import ConclaveBus

extension ConformanceRule {
  static let payloadRules = [
    ConformanceRule("what is not one JSON value is refused") { try await badJSONIsRefused($0) },
    ConformanceRule("a payload arrives byte for byte") { try await bytesSurvive($0) },
    ConformanceRule("payloads of every size arrive byte for byte") { try await sizesSurvive($0) },
    ConformanceRule("the limit is one of payloads, whatever the names") {
      try await namesTakeNothingAway($0)
    },
    ConformanceRule("a message over the limit is refused, and the bus goes on") {
      try await tooLargeIsRefused($0)
    },
  ]

  private static func badJSONIsRefused(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let subscription = try bus.subscribe(options: lossless())
    let publisher = try bus.publisher(topic: Topic("topic"), sender: "sender", type: "test")
    let texts =
      Payloads.invalid.map { Array($0.utf8) } + [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22]]
    for bytes in texts {
      let shown = String(decoding: bytes, as: UTF8.self).debugDescription
      try await expectError(.invalidPayload, from: "RawJSON(\(shown))") { _ = try RawJSON(bytes) }
      try await expectError(.invalidPayload, from: "publish(json:) of \(shown)") {
        try await onThread { try unsafe publisher.publish(json: bytes.span.bytes) }
      }
    }
    try await bus.say(1)
    let envelope = try await subscription.readMessages(1)[0]
    try expectEqual(envelope.seq, 1, "the first seq, since a refused payload uses none")
  }

  private static func bytesSurvive(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let subscription = try bus.subscribe(options: lossless(capacity: 200))
    let publisher = try bus.publisher(topic: Topic("handle"), sender: "sender", type: "test")
    let payloads = try Payloads.awkward.map { try RawJSON($0) }
    for payload in payloads {
      try await bus.publish(
        Message(type: "test", sender: "sender", payload: payload), to: Topic("message"))
      try await publisher.publish(payload)
      try await onThread { try unsafe publisher.publish(json: payload.bytes.span.bytes) }
    }
    try await publisher.publish(batch: payloads)
    let envelopes = try await subscription.readMessages(payloads.count * 4)
    let expected = payloads.flatMap { [$0, $0] } + payloads
    try expectEqual(
      envelopes.filter { $0.topic.name == "message" }.map(\.payload), payloads, "payloads")
    try expectEqual(
      envelopes.filter { $0.topic.name == "handle" }.map(\.payload), expected, "payloads")
  }

  private static let sizes = [
    1, 2, 3, 63, 64, 65, 255, 256, 257, 1000, 4_095, 4_096, 4_097, 65_535, 65_536, 65_537,
    1 << 20, (1 << 20) + 1, (16 << 20) - 1024,
  ]

  private static func sizesSurvive(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let subscription = try bus.subscribe(options: lossless())
    let publisher = try bus.publisher(topic: Topic("topic"), sender: "sender", type: "test")
    for size in sizes + [fixture.largestPayload] where size <= fixture.largestPayload {
      let payload = try Payloads.sized(size, seed: UInt64(size))
      // Larger than a ring's lane: somebody must read meanwhile.
      async let received = subscription.readMessages(2)
      try await publisher.publish(payload)
      try await publisher.publish(Payloads.numbered(size))
      let envelopes = try await received
      try expect(
        envelopes[0].payload == payload, "the payload of \(size) bytes unchanged",
        saw: "\(envelopes[0].payload.bytes.count) bytes")
      try expectEqual(envelopes[1].payload, try Payloads.numbered(size), "the message behind it")
    }
  }

  /// Whatever the names, up to the longest, leave of the medium.
  private static func namesTakeNothingAway(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let subscription = try bus.subscribe(options: lossless())
    let longest = String(repeating: "n", count: 200)
    let largest = try Payloads.sized(fixture.largestPayload, seed: 3)
    let message = Message(type: longest, sender: longest, payload: largest)
    async let received = subscription.readMessages(1)
    try await bus.publish(message, to: Topic(longest))
    let envelope = try await received[0]
    try expect(
      envelope.payload == largest, "the largest payload beside the longest names, unchanged",
      saw: "\(envelope.payload.bytes.count) bytes")
    let tooLarge = try Payloads.sized(fixture.largestPayload + 1)
    try await expectError(.messageTooLarge, from: "a byte more beside the shortest names") {
      try await bus.publish(Message(type: "t", sender: "s", payload: tooLarge), to: Topic("t"))
    }
  }

  private static func tooLargeIsRefused(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let topic = try Topic("topic")
    let subscription = try bus.subscribe(options: lossless())
    let tooLarge = try Payloads.sized(fixture.largestPayload + 1)
    let message = Message(type: "test", sender: "sender", payload: tooLarge)
    let publisher = try bus.publisher(topic: topic, sender: "sender", type: "test")
    try await expectError(.messageTooLarge, from: "publish") {
      try await bus.publish(message, to: topic)
    }
    try await expectError(.messageTooLarge, from: "a batch that ends with it") {
      try await bus.publish([numbered(0), message], to: topic)
    }
    try await expectError(.messageTooLarge, from: "a handle") {
      try await publisher.publish(tooLarge)
    }
    try await expectError(.messageTooLarge, from: "a handle's batch") {
      try await publisher.publish(batch: [Payloads.numbered(0), tooLarge])
    }
    try await bus.say(1)
    try await publisher.publish(Payloads.numbered(2))
    let envelopes = try await subscription.readMessages(2)
    try expectEqual(envelopes.numbers, [1, 2], "messages")
    try expectEqual(envelopes.map(\.seq), [1, 2], "seq, since a refused message uses none")
  }
}
