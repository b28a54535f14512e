import ConclaveBus

extension ConformanceRule {
  private static let waits: @Sendable (any BusFixture) -> Bool = { $0.makesPublishersWait }

  static let backPressureRules = [
    ConformanceRule("a slow reader with back pressure misses nothing") {
      try await slowReaderMissesNothing($0)
    },
    ConformanceRule("back pressure ends with its time-out, and loses nothing", where: waits) {
      try await timeoutLosesNothing($0)
    },
    ConformanceRule("a publish that must not wait returns how many fitted", where: waits) {
      try await neverWaits($0)
    },
    ConformanceRule("a message goes to all subscriptions or to none", where: waits) {
      try await allOrNone($0)
    },
    ConformanceRule("cancel releases publishers", where: waits) { fixture in
      try await endReleases(fixture) { _, subscription in subscription.cancel() }
    },
    ConformanceRule("unsubscribe releases publishers", where: waits) { fixture in
      try await endReleases(fixture) { bus, subscription in
        bus.unsubscribe(from: subscription.prefix)
      }
    },
    ConformanceRule("letting go of a subscription releases publishers", where: waits) {
      try await forgettingReleases($0)
    },
    ConformanceRule("close releases publishers with an error", where: waits) {
      try await closeReleases($0)
    },
    ConformanceRule("room wakes publishers", where: waits) { try await roomWakes($0) },
  ]

  private static func slowReaderMissesNothing(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let patience = Patience.each
    let count = fixture.overfill * 5
    let slow = try bus.subscribe(options: lossless(capacity: 4))
    let fast = try bus.subscribe(options: lossless(capacity: 4))
    async let received = onThread {
      var result: [Delivery] = []
      while result.count < count {
        result += try slow.readBlocking(1, patience: patience)
        if result.count % (count / 20 + 1) == 0 { pauseThread(2) }
      }
      return result
    }
    async let receivedAtOnce = fast.readMessages(count)
    for number in 0..<count / 2 { try await bus.say(number) }
    try await bus.sayAll(count / 2..<count)
    try expectEqual(try await received.messages().numbers, (0..<count).map { $0 }, "messages")
    try expectEqual(try await receivedAtOnce.numbers, (0..<count).map { $0 }, "messages")
    try expectEqual(slow.losses, SubscriptionLosses(), "losses")
  }

  private static func timeoutLosesNothing(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let options = SubscriptionOptions(
      policy: .backPressure(timeout: .milliseconds(20)), capacity: 8)
    let subscription = try bus.subscribe("slow.one", options: options)
    let topic = "slow.one"
    var next = try bus.sayUntilFull(fixture, on: topic)
    for _ in 0..<3 {
      try await expectError(.backPressureTimedOut, from: "publish without room") {
        do {
          try await bus.say(-1, on: topic)
        } catch let error as BusError {
          try expect("\(error)".contains("slow.one"), "the subscription's name", saw: error)
          throw error
        }
      }
    }
    let free = 3
    _ = try subscription.drain(limit: free) { _, _ in }
    let batch = (next..<next + fixture.overfill).map { $0 }
    do {
      try await bus.sayAll(batch, on: topic)
      throw Violation(expected: "backPressureTimedOut from a batch", seen: "success")
    } catch let failure as PublishFailure {
      try expectEqual(failure.cause.code, .backPressureTimedOut, "the batch's error")
      next += failure.published
    }
    let held = try await subscription.readMessages(next - free)
    try expectEqual(held.numbers, (free..<next).map { $0 }, "what was published and nothing else")
    try await bus.say(next, on: topic)
    let envelope = try await subscription.readMessages(1)[0]
    try expectEqual(envelope.seq, UInt64(next + 1), "the next seq: failures use none")
    try expectEqual(try subscription.poll(), nil, "nothing more")
  }

  private static func neverWaits(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let subscription = try bus.subscribe(options: lossless(capacity: 8))
    let topic = try Topic("topic")
    let publisher = try bus.publisher(topic: topic, sender: "sender", type: "test")
    var next = 0
    for _ in 0..<5 {
      let first = next
      next = try bus.sayUntilFull(fixture, from: next)
      let batch = try (next..<next + fixture.overfill).map(Payloads.numbered)
      let one = [try numbered(next)]
      try expectEqual(try publisher.publish(batch: batch, wait: .never), 0, "what fits in nothing")
      try expectEqual(try bus.publish(one, to: topic, wait: .never), 0, "what fits in nothing")
      let held = try await subscription.readMessages(next - first)
      try expectEqual(held.numbers, (first..<next).map { $0 }, "messages")

      var fitted = try publisher.publish(batch: batch, wait: .never)
      if fixture.settle() {
        fitted += try publisher.publish(batch: Array(batch[fitted...]), wait: .never)
      }
      try expect((1..<batch.count).contains(fitted), "some of the batch to fit", saw: fitted)
      try expectEqual(try bus.publish(one, to: topic, wait: .never), 0, "what fits in nothing")
      let rest = try await subscription.readMessages(fitted)
      try expectEqual(rest.numbers, (next..<next + fitted).map { $0 }, "messages of the batch")
      next += fitted
      try expectEqual(rest.last?.seq, UInt64(next), "seq: what did not fit uses none")
      try expectEqual(try subscription.poll(), nil, "nothing more")
    }
  }

  private static func allOrNone(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let stuck = try bus.subscribe(options: lossless(capacity: 8))
    let reading = try bus.subscribe(options: lossless(capacity: 8))
    var received: [Delivery] = []
    var next = 0
    let publisher = try bus.publisher(topic: Topic("topic"), sender: "sender", type: "test")
    for _ in 0..<fixture.overfill * 2 {
      if try publisher.tryPublish(Payloads.numbered(next), fixture) { next += 1 }
      received += try reading.pollAll()
    }
    try expect(
      next < fixture.overfill, "back pressure by the subscription that is not read", saw: next)
    try expectEqual(try received.messages().numbers, (0..<next).map { $0 }, "what was published")
    try expectEqual(try await stuck.readMessages(next).numbers, (0..<next).map { $0 }, "the same")
    try expectEqual(try stuck.poll(), nil, "nothing more")
    try await bus.say(next)
    for subscription in [stuck, reading] {
      let envelope = try await subscription.readMessages(1)[0]
      try expectEqual(envelope.seq, UInt64(next + 1), "the next seq")
    }
  }

  /// A publisher waits, or is about to, when `end` ends what it waits for.
  private static func endReleases(
    _ fixture: any BusFixture, _ end: @Sendable (any MessageBus, Subscription) -> Void
  ) async throws {
    let bus = try fixture.makeBus()
    var next = 0
    for round in 0..<10 {
      let stuck = try bus.subscribe(options: lossless(capacity: 8))
      next = try bus.sayUntilFull(fixture, from: next)
      async let published: Void = onThreads(3) {
        try bus.publish(numbered($0, "waiting"), to: Topic("a"))
      }
      if round % 2 == 0 { await pauseForSleepers() }
      end(bus, stuck)
      try await published
      try expectEqual(try stuck.poll(), nil, "nothing after the end")
    }
  }

  private static func forgettingReleases(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    for round in 0..<10 {
      var stuck: Subscription? = try bus.subscribe(options: lossless(capacity: 8))
      _ = try bus.sayUntilFull(fixture)
      async let published: Void = onThreads(3) {
        try bus.publish(numbered($0, "waiting"), to: Topic("a"))
      }
      if round % 2 == 0 { await pauseForSleepers() }
      try expect(stuck?.isEnded == false, "a subscription that goes on", saw: "its end")
      stuck = nil
      try await published
    }
  }

  private static func closeReleases(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let stuck = try bus.subscribe(options: lossless(capacity: 8))
    let count = try bus.sayUntilFull(fixture)
    async let published: Void = expectError(.closed, from: "a publisher that waits") {
      try await onThread { try bus.publish(numbered(-1), to: Topic("topic")) }
    }
    await pauseForSleepers()
    bus.close()
    try await published
    let numbers = try await stuck.readToEnd().messages().numbers
    try expectEqual(numbers, (0..<count).map { $0 }, "what was published before")
  }

  private static func roomWakes(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let subscription = try bus.subscribe(options: lossless(capacity: 8))
    let count = try bus.sayUntilFull(fixture)
    let (waiting, each) = (3, fixture.overfill)
    async let published: Void = onThreads(waiting) { thread in
      for number in 0..<each { try bus.publish(numbered(number, "w\(thread)"), to: Topic("topic")) }
    }
    await pauseForSleepers()
    let envelopes = try await subscription.readMessages(count + waiting * each)
    try await published
    for thread in 0..<waiting {
      let own = envelopes.filter { $0.sender == "w\(thread)" }
      try expectEqual(own.numbers, (0..<each).map { $0 }, "messages of a publisher that waited")
    }
  }
}
