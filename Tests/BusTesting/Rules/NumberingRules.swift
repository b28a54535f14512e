import ConclaveBus
import Glibc

extension ConformanceRule {
  static let numberingRules = [
    ConformanceRule("seq counts 1, 2, 3 per sender and topic, however it is published") {
      try await numbersAnyMixture(of: $0)
    },
    ConformanceRule("a subscription to one topic sees no false gap") {
      try await numbersEachTopic(of: $0)
    },
    ConformanceRule("ids are well formed, unique and rise in one process") {
      try await idsAreUnique($0)
    },
    ConformanceRule("an envelope carries what was published") {
      try await envelopesAreTrue($0)
    },
    ConformanceRule("positions rise, where there are any") { try await positionsRise($0) },
  ]

  private static func numbersAnyMixture(of fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let subscription = try bus.subscribe(options: lossless(capacity: 2000))
    var random = SplitMix64(seed: 1)
    var sent: [String: [Int]] = [:]
    var count = 0
    for _ in 0..<150 {
      let sender = random.pick(["a", "b", "sender with blanks, é"])
      let topic = random.pick(["x", "x.y", "x.y-z_0"])
      let numbers = Array(count..<count + random.below(4) + 1)
      switch random.below(4) {
      case 0: try await bus.sayAll(numbers, as: sender, on: topic)
      case 1: for number in numbers { try await bus.say(number, as: sender, on: topic) }
      case 2:
        let publisher = try bus.publisher(topic: Topic(topic), sender: sender, type: "test")
        for number in numbers { try await publisher.publish(Payloads.numbered(number)) }
      default:
        let publisher = try bus.publisher(topic: Topic(topic), sender: sender, type: "test")
        try expectEqual(
          try publisher.publish(batch: numbers.map(Payloads.numbered), wait: .never), numbers.count,
          "the size of a batch")
      }
      sent["\(sender) \(topic)", default: []] += numbers
      count += numbers.count
    }
    bus.close()
    let envelopes = try await subscription.readToEnd().messages()
    try NumberingChecker.check(envelopes.map(Delivery.envelope))
    for (stream, numbers) in sent {
      let received = envelopes.filter { "\($0.sender) \($0.topic)" == stream }
      try expectEqual(received.numbers, numbers, "on \(stream)")
      try expectEqual(
        received.map(\.seq), (1...UInt64(numbers.count)).map { $0 }, "seq of \(stream)")
    }
    try expectEqual(envelopes.count, count, "messages")
  }

  private static func numbersEachTopic(of fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let one = try bus.subscribe("one", options: lossless(capacity: 100))
    for number in 0..<50 {
      try await bus.say(number, as: "a", on: "two")
      try await bus.say(number, as: "a", on: "one")
      try await bus.say(number, as: "b", on: "one.more")
      try await bus.say(number, as: "b", on: "onerous")
    }
    let deliveries = try await one.read(100)
    try NumberingChecker.check(deliveries)
    try expectEqual(try deliveries.messages().count, 100, "messages")
    try expectEqual(one.losses, SubscriptionLosses(), "losses")
  }

  private static func idsAreUnique(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let other = try fixture.makeBus()
    let subscription = try bus.subscribe(options: lossless(capacity: 2000))
    for number in 0..<100 {
      try await bus.say(number, as: "a")
      try await other.sayAll([number, number], as: "b")
    }
    let envelopes = try await subscription.readMessages(300)
    try expectEqual(Set(envelopes.map(\.id)).count, 300, "different ids")
    for envelope in envelopes {
      try expectEqual(envelope.id.process, UInt32(getpid()), "the process of \(envelope.id)")
      try expectEqual(MessageID(envelope.id.description), envelope.id, "the id read back")
    }
    let counters = envelopes.map(\.id.counter)
    try expectEqual(counters, counters.sorted(), "rising counters")
  }

  private static func envelopesAreTrue(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let subscription = try bus.subscribe(options: lossless())
    let payload = try RawJSON(#"{"file": "a.swift"}"#)
    let message = Message(type: "board.discovery", sender: "task-3 é", payload: payload)
    let longest = Message(
      type: String(repeating: "t", count: 200), sender: String(repeating: "s", count: 200),
      payload: payload)
    let before = secondsSinceEpoch()
    try await bus.publish(message, to: Topic("parallel.wave-0.board"))
    try await bus.publish(longest, to: Topic(String(repeating: "x", count: 200)))
    let envelopes = try await subscription.readMessages(2)
    for (envelope, sent) in zip(envelopes, [message, longest]) {
      try expectEqual(envelope.sender, sent.sender, "sender")
      try expectEqual(envelope.type, sent.type, "type")
      try expectEqual(envelope.payload, sent.payload, "payload")
      try expectEqual(envelope.seq, 1, "seq")
      let seconds = Int(envelope.timestamp.nanosecondsSinceEpoch / 1_000_000_000)
      // A clock may be set meanwhile; it is not set by an hour.
      try expect(abs(seconds - before) < 3600, "a timestamp near \(before) s", saw: seconds)
    }
    try expectEqual(
      envelopes.map(\.topic.name), ["parallel.wave-0.board", String(repeating: "x", count: 200)],
      "topics")
    try expectEqual(Set(envelopes.map(\.incarnation)).count, 1, "incarnations")
  }

  private static func positionsRise(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let subscription = try bus.subscribe(options: lossless(capacity: 200))
    for number in 0..<100 { try await bus.say(number, as: "s\(number % 3)", on: "t\(number % 5)") }
    let positions = try await subscription.readMessages(100).map(\.position)
    try expect(
      Set(positions.map { $0 == nil }).count == 1, "positions in all messages or in none",
      saw: positions)
    for (left, right) in zip(positions, positions.dropFirst()) {
      guard let left, let right else { continue }
      try expect(left < right, "a position behind \(left)", saw: right)
    }
  }
}

private func secondsSinceEpoch() -> Int { time(nil) }
