import ConclaveBus
import SharedRing

extension ConformanceRule {
  static let readingRules = [
    ConformanceRule("every way of reading sees the same") { try await readersAgree($0) },
    ConformanceRule("a message wakes whoever waits for it, however it waits") {
      try await messagesWake($0)
    },
    ConformanceRule("several readers of one subscription share it, each message to one") {
      try await readersShare($0)
    },
    ConformanceRule("fetched messages do not let another reader sleep") {
      try await leftoversAreNotForgotten($0)
    },
    ConformanceRule("waiting ends with its time-out, the subscription does not") {
      try await timeoutsEndOnlyTheWait($0)
    },
    ConformanceRule("cancelling a task ends its wait and nothing else") {
      try await cancellationEndsOnlyTheWait($0)
    },
  ]

  /// Reads exactly `count` messages in its way. Blocks.
  private typealias Way = @Sendable (Subscription, Int, Duration) throws -> [Envelope]

  private static let ways: [(name: String, read: Way)] = [
    ("receive", { try $0.readBlocking($1, patience: $2).messages() }),
    (
      "poll and wait",
      { subscription, count, patience in
        var result: [Envelope] = []
        while result.count < count {
          if let delivery = try subscription.poll() {
            result += try [delivery].messages()
          } else {
            subscription.wait(timeout: patience)
          }
        }
        return result
      }
    ),
    (
      "drain and wait",
      { subscription, count, patience in
        var result: [Envelope] = []
        while result.count < count {
          let before = result.count
          let handed = try subscription.drain(limit: 7) { view, payload in
            result.append(view.envelope(payload: payload))
          }
          try expectEqual(handed, result.count - before, "drain's count")
          if handed == 0 { subscription.wait(timeout: patience) }
        }
        return result
      }
    ),
    (
      "poll and drain in turn",
      { subscription, count, patience in
        var result: [Envelope] = []
        while result.count < count {
          if let delivery = try subscription.poll() { result += try [delivery].messages() }
          let handed = try subscription.drain(limit: 2) { view, payload in
            result.append(view.envelope(payload: payload))
          }
          if handed == 0, result.count < count { subscription.wait(timeout: .milliseconds(5)) }
        }
        return result
      }
    ),
  ]

  private static func readersAgree(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let (count, patience) = (300, Patience.each)
    let subscriptions = try ways.map { _ in try bus.subscribe(options: lossless(capacity: 20)) }
    let iterated = try bus.subscribe(options: lossless(capacity: 20))
    let results = try await withThrowingTaskGroup(of: [Envelope].self) { group in
      for (way, subscription) in zip(ways, subscriptions) {
        group.addTask { try await onThread { try way.read(subscription, count, patience) } }
      }
      group.addTask {
        var result: [Delivery] = []
        for try await delivery in iterated {
          result.append(delivery)
          if result.count == count { break }
        }
        return try result.messages()
      }
      for number in 0..<count { try await bus.say(number, on: "t\(number % 2)") }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    for result in results {
      for topic in ["t0", "t1"] {
        let seen = result.filter { $0.topic.name == topic }
        let other = results[0].filter { $0.topic.name == topic }
        try expect(seen == other, "the same from all ways of reading", saw: "a difference")
      }
      try NumberingChecker.check(result.map(Delivery.envelope))
    }
  }

  private static func messagesWake(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let patience = Patience.each
    for (index, way) in ways.enumerated() {
      let subscription = try bus.subscribe(options: lossless())
      async let received = onThread { try way.read(subscription, 1, patience) }
      await pauseForSleepers()
      try await bus.say(index)
      try expectEqual(try await received.numbers, [index], "the message by \(way.name)")
      subscription.cancel()
    }
    let subscription = try bus.subscribe(options: lossless())
    async let received = subscription.first { _ in true }
    await pauseForSleepers()
    try await bus.say(99)
    try expectEqual(try await [received].compactMap { $0 }.messages().numbers, [99], "by iteration")
  }

  private static func readersShare(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let subscription = try bus.subscribe(options: lossless(capacity: 16))
    let numbers = SharedNumbers()
    let (readers, count) = (4, 2000)
    let reading = Task {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for reader in 0..<readers {
          group.addTask {
            if reader % 2 == 0 {
              for try await delivery in subscription {
                numbers.append(try [delivery].messages().numbers)
              }
            } else {
              try await onThread {
                while let delivery = try subscription.receive() {
                  numbers.append(try [delivery].messages().numbers)
                }
              }
            }
          }
        }
        try await group.waitForAll()
      }
    }
    for number in 0..<count { try await bus.say(number) }
    bus.close()
    try await reading.value
    let seen = numbers.all
    try expectEqual(seen.count, count, "messages, each once")
    try expectEqual(Set(seen), Set(0..<count), "messages")
  }

  /// One reader takes one message and goes away, while another is falling asleep.
  private static func leftoversAreNotForgotten(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let patience = Patience.each
    for round in 0..<50 {
      let subscription = try bus.subscribe(options: lossless())
      async let sleeper = onThread { try subscription.readBlocking(2, patience: patience) }
      async let passer = onThread { () -> Delivery? in
        let deadline = ContinuousClock.now.advanced(by: patience)
        while ContinuousClock.now < deadline {
          if let delivery = try subscription.poll() { return delivery }
        }
        return nil
      }
      try await bus.sayAll([round, round, round])
      try expectEqual(try await sleeper.count, 2, "what is left for the second reader")
      _ = try await passer
      subscription.cancel()
    }
    let subscription = try bus.subscribe(options: lossless())
    try await bus.sayAll([1, 2])
    _ = try await subscription.readMessages(1)
    try await onThread { subscription.wait() }
    var left: [Int?] = []
    try subscription.drain { left.append(Payloads.number(of: $0.envelope(payload: $1).payload)) }
    try expectEqual(left, [2], "the fetched message by drain")
  }

  private static func timeoutsEndOnlyTheWait(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let subscription = try bus.subscribe(options: lossless())
    for timeout in [Duration.zero, .milliseconds(1), .milliseconds(-1), .milliseconds(20)] {
      let delivery = try await onThread { try subscription.receive(timeout: timeout) }
      try expectEqual(delivery, nil, "nothing within \(timeout)")
      await Task.yield()
    }
    try expectEqual(try subscription.poll(), nil, "nothing by poll")
    try expect(!subscription.isEnded, "a subscription that goes on", saw: "its end")
    try await bus.say(1)
    let eternity = Duration.seconds(1 << 62)
    let delivery = try await onThread { try subscription.receive(timeout: eternity) }
    try expectEqual(try [delivery].compactMap { $0 }.messages().numbers, [1], "the message")
  }

  private static func cancellationEndsOnlyTheWait(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let patience = Patience.each
    let subscription = try bus.subscribe(options: lossless())
    for round in 0..<20 {
      let tasks = (0..<3).map { _ in
        Task { () -> Delivery? in
          var iterator = subscription.makeAsyncIterator()
          return try await iterator.next()
        }
      }
      async let reader = onThread { try subscription.receive(timeout: patience) }
      if round % 2 == 0 { await pauseForSleepers() }
      for task in tasks { task.cancel() }
      for task in tasks {
        try expectEqual(try await task.value, nil, "the end of a cancelled wait")
      }
      try expect(!subscription.isEnded, "a subscription that goes on", saw: "its end")
      try await bus.say(round)
      let received = try await [reader].compactMap { $0 }.messages().numbers
      try expectEqual(received, [round], "the message by another reader")
    }
  }
}

/// Gives those who will wait the time to do so. Right or wrong, the rule must hold; but it asks
/// more of a transport whose readers really sleep.
func pauseForSleepers() async { try? await Task.sleep(for: .milliseconds(2)) }

private final class SharedNumbers: Sendable {
  private let numbers = Lock<[Int?]>([])
  var all: [Int?] { numbers.withLock { $0 } }
  func append(_ more: [Int?]) { numbers.withLock { $0 += more } }
}
