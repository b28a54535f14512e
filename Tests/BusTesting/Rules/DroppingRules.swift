import ConclaveBus
import SharedRing

extension ConformanceRule {
  private static let loses: @Sendable (any BusFixture) -> Bool = { $0.losesWhenSlow }

  static let droppingRules = [
    ConformanceRule("each lost message is counted once, in its place", where: loses) {
      try await lossesAreExact($0)
    },
    ConformanceRule("losses are told even when no message follows", where: loses) {
      try await tailLossesAreTold($0)
    },
    ConformanceRule("there is one warning for each episode of losses", where: loses) {
      try await warnsOncePerEpisode($0)
    },
    ConformanceRule("publishers never wait for a subscription that drops") {
      try await droppingHoldsUpNobody($0)
    },
    ConformanceRule("a slow subscription that drops costs a fast one nothing") {
      try await slowDisturbsNoFast($0)
    },
  ]

  private static func lossesAreExact(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let subscription = try bus.subscribe("a", options: lossy())
    var random = SplitMix64(seed: 7)
    var sent: [String: UInt64] = [:]
    var deliveries: [Delivery] = []
    for _ in 0..<200 {
      // Bursts of a few streams at once, of which some fit and some do not.
      for _ in 0..<random.below(fixture.overfill) {
        let (sender, topic) = (random.pick(["x", "y", "z"]), random.pick(["a", "a.b", "other"]))
        try await bus.say(0, as: sender, on: topic)
        if topic != "other" { sent["\(sender) \(topic)", default: 0] += 1 }
      }
      for _ in 0..<random.below(20) {
        if let delivery = try subscription.poll() { deliveries.append(delivery) }
      }
    }
    bus.close()
    deliveries += try await subscription.readToEnd()
    let checker = try NumberingChecker.check(deliveries)
    try expect(checker.lost > 0, "losses, or this rule shows nothing", saw: "none")
    try expectEqual(accounted(deliveries), sent, "messages received or reported lost")
    try expectLosses(subscription, deliveries)
  }

  /// How many messages `deliveries` account for on each stream.
  private static func accounted(_ deliveries: [Delivery]) -> [String: UInt64] {
    var result: [String: UInt64] = [:]
    for delivery in deliveries {
      switch delivery {
      case .envelope(let envelope): result["\(envelope.sender) \(envelope.topic)", default: 0] += 1
      case .gap(let gap): result["\(gap.sender) \(gap.topic)", default: 0] += gap.count
      }
    }
    return result
  }

  private static func expectLosses(_ subscription: Subscription, _ deliveries: [Delivery]) throws {
    let losses = subscription.losses
    try expectEqual(
      losses.lostMessages, deliveries.gaps.reduce(0) { $0 + $1.count }, "lost messages")
    try expectEqual(losses.gaps, UInt64(deliveries.gaps.count), "gaps")
    try expect(
      (1...max(1, losses.gaps)).contains(losses.episodes), "1 to \(losses.gaps) episodes",
      saw: losses.episodes)
  }

  private static func tailLossesAreTold(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let subscription = try bus.subscribe(options: lossy())
    var before: UInt64 = 0
    for _ in 0..<5 {
      for number in 0..<fixture.overfill { try await bus.say(number) }
      let deliveries = try await subscription.read(fixture.overfill)
      let checker = try NumberingChecker.check(deliveries, fromTheFirst: false)
      try expect(checker.lost > 0, "losses, or this rule shows nothing", saw: "none")
      try expectEqual(try subscription.poll(), nil, "nothing more")
      let last =
        switch deliveries[deliveries.count - 1] {
        case .envelope(let envelope): envelope.seq
        case .gap(let gap): gap.seq.upperBound
        }
      try expectEqual(last, before + UInt64(fixture.overfill), "the last number")
      before = last
    }
  }

  private static func warnsOncePerEpisode(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let warnings = Warnings()
    let subscription = try bus.subscribe(options: lossy { warnings.append($0) })
    for episode in 1...4 {
      for number in 0..<fixture.overfill { try await bus.say(number) }
      _ = try await subscription.read(fixture.overfill)
      try expectEqual(try subscription.poll(), nil, "nothing more")
      try expectEqual(warnings.all.count, episode, "warnings")
      try expectEqual(subscription.losses.episodes, UInt64(episode), "episodes")
      try await bus.say(-1)
      _ = try await subscription.readMessages(1)
    }
    for warning in warnings.all {
      switch warning {
      case .overrun, .queueFull: break
      default: throw Violation(expected: "a warning of a loss", seen: "\(warning)")
      }
    }
  }

  private static func droppingHoldsUpNobody(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let stuck = try bus.subscribe(options: lossy())
    let publisher = try bus.publisher(topic: Topic("topic"), sender: "sender", type: "test")
    for number in 0..<fixture.overfill * 3 {
      try expect(
        try publisher.tryPublish(Payloads.numbered(number), fixture), "a publish without waiting",
        saw: "one that would wait")
    }
    bus.close()
    let checker = try NumberingChecker.check(try await stuck.readToEnd())
    try expectEqual(
      checker.messages + checker.lost, UInt64(fixture.overfill * 3), "messages and losses")
  }

  private static func slowDisturbsNoFast(_ fixture: any BusFixture) async throws {
    let bus = try fixture.makeBus()
    let slow = try bus.subscribe(options: lossy())
    let fast = try bus.subscribe(options: lossy())
    let careful = try bus.subscribe(options: lossless(capacity: 8))
    let count = fixture.overfill * 3
    for number in 0..<count {
      try await bus.say(number)
      for subscription in [fast, careful] {
        try expectEqual(try await subscription.readMessages(1).numbers, [number], "the message")
      }
    }
    bus.close()
    let checker = try NumberingChecker.check(try await slow.readToEnd())
    try expectEqual(checker.messages + checker.lost, UInt64(count), "messages and losses")
    try expectEqual(try await fast.readToEnd(), [], "nothing more")
    try expectEqual(try await careful.readToEnd(), [], "nothing more")
  }
}

private final class Warnings: Sendable {
  private let warnings = Lock<[BusWarning]>([])
  var all: [BusWarning] { warnings.withLock { $0 } }
  func append(_ warning: BusWarning) { warnings.withLock { $0.append(warning) } }
}
