import ConclaveBus

extension ConformanceRule {
  static let orderRules = [
    ConformanceRule("every subscription receives every message that it asked for") {
      try await fansOut($0)
    },
    ConformanceRule("all subscriptions see one order, each sender's its own") {
      try await ordersAreEqual($0, topics: ["topic"])
    },
    ConformanceRule(
      "all subscriptions see one order over all topics", where: { $0.ordersAcrossTopics }
    ) {
      try await ordersAreEqual($0, topics: ["x", "x.y", "z"])
    },
  ]

  private static func fansOut(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let other = try fixture.makeBus()
    var subscriptions: [Subscription] = []
    for index in 0..<6 {
      subscriptions.append(
        try (index % 2 == 0 ? bus : other).subscribe(
          index < 3 ? "" : "topic", options: lossless(capacity: 200)))
    }
    for number in 0..<100 { try await (number % 2 == 0 ? bus : other).say(number) }
    for subscription in subscriptions {
      let envelopes = try await subscription.readMessages(100)
      try expectEqual(Set(envelopes.numbers), Set(0..<100), "what each subscription receives")
      try NumberingChecker.check(envelopes.map(Delivery.envelope))
    }
  }

  /// Several publishers at once; the subscriptions, read at once as well, compare notes.
  private static func ordersAreEqual(_ fixture: any BusFixture, topics: [String]) async throws {
    let bus = try fixture.makeBus()
    let topics = try topics.map { try Topic($0) }
    let (senders, each) = (4, 300)
    let subscriptions = try (0..<3).map { _ in
      try bus.subscribe(options: lossless(capacity: 16))
    }
    let orders = try await withThrowingTaskGroup(of: [Envelope].self) { group in
      for subscription in subscriptions {
        group.addTask { try await subscription.readMessages(senders * each) }
      }
      try await onThreads(senders) { sender in
        for number in 0..<each {
          try bus.publish(numbered(number, "s\(sender)"), to: topics[number % topics.count])
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    for order in orders {
      let same = order.map(\.id) == orders[0].map(\.id)
      try expect(same, "one order for all subscriptions", saw: "two")
      try NumberingChecker.check(order.map(Delivery.envelope))
      for sender in 0..<senders {
        let own = order.filter { $0.sender == "s\(sender)" }
        try expectEqual(own.numbers, (0..<each).map { $0 }, "the order of s\(sender)")
      }
    }
  }
}
