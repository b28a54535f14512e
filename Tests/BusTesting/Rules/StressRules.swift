import ConclaveBus

extension ConformanceRule {
  static let stressRules = [
    ConformanceRule("50 publishers lose nothing") { try await fiftyPublishers($0) },
    ConformanceRule("50 publishing tasks lose nothing") { try await fiftyTasks($0) },
    ConformanceRule("coming and going disturbs nobody") { try await churn($0) },
    ConformanceRule("a random script gives what the model of a bus gives") { fixture in
      let script = RandomScript(seed: 42, steps: 400)
      try expectSame(try await script.run(on: fixture), script.expected())
    },
  ]

  private static let publishers = 50
  private static let each = 200

  private static func fiftyPublishers(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let topic = try Topic("topic")
    try await verifyFifty(bus) {
      try await onThreads(publishers) { sender in
        let publisher = try bus.publisher(topic: topic, sender: "s\(sender)", type: "test")
        for number in 0..<each {
          if number % 3 == 0 {
            try bus.publish(numbered(number, "s\(sender)"), to: topic)
          } else {
            try publisher.publish(Payloads.numbered(number))
          }
        }
      }
    }
  }

  private static func fiftyTasks(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    try await verifyFifty(bus) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for sender in 0..<publishers {
          group.addTask {
            for number in 0..<each { try await bus.say(number, as: "s\(sender)") }
          }
        }
        try await group.waitForAll()
      }
    }
  }

  private static func verifyFifty(
    _ bus: any MessageBus, _ publish: @Sendable () async throws -> Void
  ) async throws {
    let first = try bus.subscribe(options: lossless(capacity: 32))
    let second = try bus.subscribe("topic", options: lossless())
    async let received = first.readMessages(publishers * each)
    async let iterated = iterate(second, publishers * each)
    try await publish()
    let orders = [try await received, try await iterated]
    try expect(
      orders[0].map(\.id) == orders[1].map(\.id), "one order for both subscriptions", saw: "two")
    try NumberingChecker.check(orders[0].map(Delivery.envelope))
    var perSender: [String: [Int?]] = [:]
    for envelope in orders[0] {
      perSender[envelope.sender, default: []].append(Payloads.number(of: envelope.payload))
    }
    try expectEqual(perSender.count, publishers, "senders")
    for (sender, numbers) in perSender {
      try expectEqual(numbers, (0..<each).map { $0 }, "messages of \(sender)")
    }
    try expectEqual(first.losses, SubscriptionLosses(), "losses")
  }

  private static func iterate(_ subscription: Subscription, _ count: Int) async throws -> [Envelope]
  {
    var result: [Delivery] = []
    for try await delivery in subscription {
      result.append(delivery)
      if result.count == count { break }
    }
    return try result.messages()
  }

  /// Two publishers; three who subscribe, read a little and leave in every way; and one who stays
  /// and must not notice.
  private static func churn(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let count = 3000
    let staying = try bus.subscribe(options: lossless())
    async let received = staying.readMessages(2 * count)
    try await onThreads(5) { thread in
      if thread < 2 {
        for number in 0..<count {
          try bus.publish(numbered(number, "s\(thread)"), to: Topic("t\(number % 2)"))
        }
      } else {
        try comeAndGo(bus, seed: UInt64(thread))
      }
    }
    let envelopes = try await received
    try NumberingChecker.check(envelopes.map(Delivery.envelope))
    for sender in 0..<2 {
      let own = envelopes.filter { $0.sender == "s\(sender)" }
      try expectEqual(Set(own.numbers), Set(0..<count), "messages of s\(sender)")
    }
  }

  private static func comeAndGo(_ bus: any MessageBus, seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for _ in 0..<60 {
      let prefix = random.pick(["", "t0", "t1"])
      let capacity = 1 + random.below(8)
      let subscription = try bus.subscribe(
        prefix,
        options: random.below(2) == 0 ? lossy(capacity: capacity) : lossless(capacity: capacity))
      var checker = NumberingChecker(fromTheFirst: false)
      for _ in 0..<random.below(50) {
        guard let delivery = try subscription.receive(timeout: .milliseconds(1)) else { break }
        try checker.accept(delivery)
      }
      if random.below(2) == 0 { subscription.cancel() }
    }
  }
}
