import ConclaveBus
import Synchronization

extension ConformanceRule {
  static let startRules = [
    ConformanceRule("a subscription begins with the first message after subscribe returned") {
      try await beginsNow($0)
    },
    ConformanceRule("a subscription that begins amid traffic has no hole") {
      try await beginsAmidTraffic($0)
    },
    ConformanceRule("a subscription from the beginning has no hole up to now") {
      try await beginsAtTheBeginning($0)
    },
    ConformanceRule("a subscription cannot begin behind a message that nobody published") {
      try await unknownStartIsRefused($0)
    },
    ConformanceRule("a subscription begins behind any message", where: { $0.keepsMessages }) {
      try await beginsBehind($0)
    },
  ]

  private static func beginsNow(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    for number in 0..<5 { try await bus.say(number) }
    let first = try bus.subscribe(options: lossless())
    try expectEqual(try first.poll(), nil, "nothing from before")
    for number in 5..<10 { try await bus.say(number) }
    let second = try bus.subscribe(options: lossless())
    try await bus.say(10)
    bus.close()
    for (subscription, expected) in [(first, 5...10), (second, 10...10)] {
      let envelopes = try await subscription.readToEnd().messages()
      try expectEqual(envelopes.numbers, expected.map { $0 }, "messages")
      try expectEqual(envelopes.map { Int($0.seq) }, expected.map { $0 + 1 }, "seq")
    }
  }

  private static func beginsAmidTraffic(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let patience = Patience.each
    let topic = try Topic("topic")
    let lastHasBegun = Atomic<Bool>(false)
    try await onThreads(2) { thread in
      if thread == 0 {
        for number in 0..<5000 { try bus.publish(numbered(number), to: topic) }
        while !lastHasBegun.load(ordering: .acquiring) { pauseThread(1) }
        try bus.publish(numbered(-1, "marker"), to: topic)
        return
      }
      for _ in 0..<20 {
        let subscription = try bus.subscribe(options: lossless())
        // The traffic may be over before this subscription begins.
        let first = try subscription.receive(timeout: .milliseconds(1))
        let more = try subscription.pollAll()
        try NumberingChecker.check((first.map { [$0] } ?? []) + more, fromTheFirst: false)
        subscription.cancel()
      }
      let subscription = try bus.subscribe(options: lossless())
      lastHasBegun.store(true, ordering: .releasing)
      var deliveries: [Delivery] = []
      while deliveries.envelopes.last?.sender != "marker" {
        deliveries += try subscription.readBlocking(1, patience: patience)
      }
      try NumberingChecker.check(deliveries, fromTheFirst: false)
      subscription.cancel()
    }
  }

  private static func beginsAtTheBeginning(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    for number in 0..<20 { try await bus.say(number) }
    var options = lossless()
    options.start = .beginning
    let subscription = try bus.subscribe(options: options)
    for number in 20..<40 { try await bus.say(number) }
    bus.close()
    let numbers = try await subscription.readToEnd().messages().numbers
    let first = fixture.keepsMessages ? 0 : 40 - numbers.count
    try expect(numbers.count >= 20, "at least what was published afterwards", saw: numbers)
    try expectEqual(numbers, (first..<40).map { $0 }, "messages")
  }

  private static func unknownStartIsRefused(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    try await bus.say(0)
    let unknown = MessageID(process: 1, counter: 1)
    try await expectError(.notFound, from: "a start behind \(unknown)") {
      _ = try bus.subscribe(options: SubscriptionOptions(start: .after(unknown)))
    }
  }

  private static func beginsBehind(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    for number in 0..<20 { try await bus.say(number) }
    let all = try bus.subscribe(options: SubscriptionOptions(start: .beginning))
    let ids = try await all.readMessages(20).map(\.id)
    for (index, id) in ids.enumerated() {
      let subscription = try bus.subscribe(options: SubscriptionOptions(start: .after(id)))
      let numbers = try await subscription.readMessages(19 - index).numbers
      try expectEqual(numbers, (index + 1..<20).map { $0 }, "messages behind number \(index)")
      subscription.cancel()
    }
    let last = try bus.subscribe(options: SubscriptionOptions(start: .after(ids[19])))
    try await bus.say(20)
    try expectEqual(try await last.readMessages(1).numbers, [20], "what follows the last")
  }
}
