import ConclaveBus

extension ConformanceRule {
  static let unsubscribingRules = [
    ConformanceRule("unsubscribe ends the subscriptions to exactly that prefix, at once") {
      try await unsubscribeIsExact($0)
    },
    ConformanceRule(
      "unsubscribe ends nothing of another handle", where: { $0.sharesAcrossHandles }
    ) {
      try await unsubscribeIsLocal($0)
    },
    ConformanceRule("cancel ends that subscription only, at once") { try await cancelIsExact($0) },
    ConformanceRule("a subscription that nobody holds any more is gone") {
      try await forgottenIsGone($0)
    },
    ConformanceRule("nothing is delivered after unsubscribe returned, amid traffic") {
      try await unsubscribeIsFinal($0)
    },
  ]

  private static func unsubscribeIsExact(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let ended = try (0..<2).map { _ in try bus.subscribe("a.b", options: lossless()) }
    let others = try ["", "a", "a.b.c"].map { try bus.subscribe($0, options: lossless()) }
    for number in 0..<3 { try await bus.say(number, on: "a.b.c") }
    // One message was handed out, others were perhaps fetched.
    try expectEqual(try await ended[0].readMessages(1).numbers, [0], "the first message")
    bus.unsubscribe(from: try TopicPrefix("a.b"))
    bus.unsubscribe(from: try TopicPrefix("a.b"))
    bus.unsubscribe(from: try TopicPrefix("nothing"))
    try await bus.say(3, on: "a.b.c")
    for subscription in ended {
      try expect(subscription.isEnded, "the end at once", saw: "a subscription that goes on")
      try expectEqual(try subscription.pollAll(), [], "nothing after unsubscribe")
      try expectEqual(try subscription.drain { _, _ in }, 0, "nothing by drain")
    }
    for subscription in others {
      try expectEqual(
        try await subscription.readMessages(4).numbers, [0, 1, 2, 3], "messages of the others")
    }
    let again = try bus.subscribe("a.b", options: lossless())
    try await bus.say(4, on: "a.b")
    try expectEqual(try await again.readMessages(1).numbers, [4], "messages of a new subscription")
  }

  private static func unsubscribeIsLocal(_ fixture: any BusFixture) async throws {
    let (first, second) = (try fixture.makeBus(), try fixture.makeBus())
    let ended = try first.subscribe("a", options: lossless())
    let other = try second.subscribe("a", options: lossless())
    first.unsubscribe(from: try TopicPrefix("a"))
    try await first.say(1, on: "a")
    try expect(ended.isEnded, "the end", saw: "a subscription that goes on")
    try expectEqual(try await other.readMessages(1).numbers, [1], "messages of the other handle")
  }

  private static func cancelIsExact(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let cancelled = try bus.subscribe("a", options: lossless())
    let other = try bus.subscribe("a", options: lossless())
    for number in 0..<3 { try await bus.say(number, on: "a") }
    try expectEqual(try await cancelled.readMessages(1).numbers, [0], "the first message")
    cancelled.cancel()
    cancelled.cancel()
    try await bus.say(3, on: "a")
    try expect(cancelled.isEnded, "the end at once", saw: "a subscription that goes on")
    try expectEqual(try cancelled.pollAll(), [], "nothing after cancel")
    try expectEqual(try await other.readMessages(4).numbers, [0, 1, 2, 3], "the other's messages")
  }

  private static func forgottenIsGone(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let kept = try bus.subscribe(options: lossless(capacity: fixture.overfill + 100))
    for round in 0..<100 {
      // Never read: were it still there, publishers would wait for it.
      _ = try bus.subscribe(options: lossless(capacity: 1))
      try await bus.say(round)
      try expectEqual(try await kept.readMessages(1).numbers, [round], "the message")
    }
  }

  private static func unsubscribeIsFinal(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let topic = try Topic("topic")
    try await onThreads(2) { thread in
      if thread == 0 {
        for number in 0..<3000 { try bus.publish(numbered(number), to: topic) }
        return
      }
      for round in 0..<30 {
        let subscription = try bus.subscribe("topic", options: lossless(capacity: 4))
        _ = try subscription.receive(timeout: .milliseconds(1))
        if round % 2 == 0 {
          bus.unsubscribe(from: subscription.prefix)
        } else {
          subscription.cancel()
        }
        try expectEqual(try subscription.pollAll(), [], "nothing after the end")
      }
    }
  }
}
