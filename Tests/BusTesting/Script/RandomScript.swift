/// A random but reproducible use of a bus, what a user observes of it, and what one should observe.
///
/// For comparing transports with each other: the observations of one script are equal on all of
/// them. It runs on one thread; nothing in it depends on time.
public struct RandomScript: Sendable {
  enum Step: Sendable {
    case publish(sender: String, topic: String, how: How)
    case subscribe(prefix: String)
    case unsubscribe(prefix: String)
    /// The subscription with this number, counted from the first one ever.
    case cancel(Int)
    case read(Int)
    case close
  }

  enum How: Sendable, CaseIterable {
    case one, batch, handle, handleBatch, without
    var count: Int { self == .batch || self == .handleBatch ? 3 : 1 }
  }

  let steps: [Step]

  /// The steps end with a close, a few calls on the closed bus, and reading everything to its end.
  public init(seed: UInt64, steps count: Int) {
    var random = SplitMix64(seed: seed)
    var steps: [Step] = [.subscribe(prefix: "")]
    var subscriptions = 1
    for index in 0..<count {
      switch random.below(20) {
      case 0..<12:
        steps.append(
          .publish(
            sender: random.pick(["p", "q"]), topic: random.pick(["a", "a.b", "ab", "a.b.c"]),
            how: random.pick(How.allCases)))
      case 12, 13:
        steps.append(.subscribe(prefix: random.pick(["", "a", "a.b", "ab", "none"])))
        subscriptions += 1
      case 14: steps.append(.unsubscribe(prefix: random.pick(["a", "a.b", "ab", "none"])))
      case 15: steps.append(.cancel(random.below(subscriptions)))
      default: steps.append(.read(random.below(subscriptions)))
      }
      // So that no medium is ever full.
      if index % 50 == 49 { steps += (0..<subscriptions).map { .read($0) } }
    }
    steps.append(.close)
    steps += How.allCases.map { .publish(sender: "p", topic: "a", how: $0) }
    steps += [.subscribe(prefix: "a"), .close]
    self.steps = steps + (0..<subscriptions).map { .read($0) }
  }
}

/// Throws where two lists of observations first differ.
func expectSame(_ seen: [String], _ expected: [String]) throws {
  for (index, (left, right)) in zip(seen, expected).enumerated() {
    try expect(left == right, "\"\(right)\" as observation \(index)", saw: left)
  }
  try expectEqual(seen.count, expected.count, "observations")
}
