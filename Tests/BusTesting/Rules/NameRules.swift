import ConclaveBus

extension ConformanceRule {
  static let nameRules = [
    ConformanceRule("a prefix matches whole segments") { try await prefixesMatch($0) },
    ConformanceRule("what is not a topic is refused") { try await badTopicsAreRefused($0) },
    ConformanceRule("what is not a name is refused, and nothing of its batch is published") {
      try await badNamesAreRefused($0)
    },
  ]

  /// What must reach a subscription to each prefix, of all the topics in the table.
  private static let matches: [String: Set<String>] = [
    "": Set(topics),
    "parallel": ["parallel", "parallel.wave-0", "parallel.wave-01", "parallel.wave-0.board"],
    "parallel.wave-0": ["parallel.wave-0", "parallel.wave-0.board"],
    "parallel.wave-0.board": ["parallel.wave-0.board"],
    "parallel.wave-0.boar": [],
    "para": [],
    "wave-0": ["wave-0"],
    "wave": ["wave", "wave.0"],
    "a": ["a", "a.a", "a.a.a"],
    "a.a": ["a.a", "a.a.a"],
    "A": ["A"],
    "nothing": [],
  ]

  private static let topics = [
    "parallel", "parallel.wave-0", "parallel.wave-01", "parallel.wave-0.board", "parallels",
    "wave-0", "wave-01", "wave", "wave.0", "a", "a.a", "a.a.a", "aa", "A", "a-", "_",
  ]

  private static func prefixesMatch(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    for (prefix, expected) in matches.sorted(by: { $0.key < $1.key }) {
      let subscription = try bus.subscribe(prefix, options: lossless(capacity: 100))
      let all = try bus.subscribe(options: lossless(capacity: 100))
      for topic in topics { try await bus.say(0, on: topic) }
      _ = try await all.readMessages(topics.count)
      // All are published; what belongs to this prefix is there now or never comes.
      let envelopes = try await subscription.readMessages(expected.count)
      let more = try subscription.pollAll()
      try expectEqual(more, [], "what \"\(prefix)\" receives beside \(expected.sorted())")
      try expectEqual(
        envelopes.map(\.topic.name).sorted(), expected.sorted(), "what \"\(prefix)\" receives")
      all.cancel()
      subscription.cancel()
    }
  }

  private static let badTopics = [
    "../x", "a/b", ".", "..", ".a", "a.", "a..b", "...", "/", "a\\b", "a\u{0}", "\u{0}",
    "\u{1F600}",
    "é", " ", "a b", "a\n", "*", "a.*", "~", "a:b", String(repeating: "a", count: 201),
    String(repeating: "a.", count: 5_000) + "a",
  ]

  private static func badTopicsAreRefused(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    for name in badTopics {
      try await expectError(.invalidTopic, from: "topic \(name.debugDescription)") {
        try await bus.say(0, on: name)
      }
      try await expectError(.invalidTopic, from: "prefix \(name.debugDescription)") {
        _ = try bus.subscribe(name)
      }
    }
    try await expectError(.invalidTopic, from: "the empty topic") { try await bus.say(0, on: "") }
    let subscription = try bus.subscribe(options: lossless())
    try await bus.say(1, on: String(repeating: "a", count: 200))
    try expectEqual(try await subscription.readMessages(1).numbers, [1], "messages afterwards")
  }

  private static let badNames = [
    "", "a\u{0}", "\n", "a\tb", "\u{7F}", "\u{1B}[31m", String(repeating: "n", count: 201),
    String(repeating: "é", count: 101),
  ]

  private static func badNamesAreRefused(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let topic = try Topic("topic")
    let subscription = try bus.subscribe(options: lossless())
    for name in badNames {
      let payload = try Payloads.numbered(0)
      for (sender, type) in [(name, "type"), ("sender", name)] {
        try await expectError(.invalidName, from: "\(sender.debugDescription) \(type)") {
          try await bus.publish(Message(type: type, sender: sender, payload: payload), to: topic)
        }
        try await expectError(.invalidName, from: "a batch that ends with such a message") {
          try await bus.publish(
            [numbered(0), Message(type: type, sender: sender, payload: payload)], to: topic)
        }
        try await expectError(.invalidName, from: "a publisher with \(name.debugDescription)") {
          _ = try bus.publisher(topic: topic, sender: sender, type: type)
        }
      }
    }
    try await bus.say(1)
    let envelope = try await subscription.readMessages(1)[0]
    try expectEqual(Payloads.number(of: envelope.payload), 1, "the first message")
    try expectEqual(envelope.seq, 1, "its seq, since a refused message uses none")
  }
}
