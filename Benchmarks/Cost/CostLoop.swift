import CShim

/// Something whose cost per message is measured: so many messages are published, then received.
struct CostCase {
  let name: String
  /// Publishes so many messages.
  let publish: (Int) throws -> Void
  /// Receives what was published. nil: nobody receives.
  let receive: (() throws -> Received)?

  struct Received {
    /// Messages.
    let count: Int
    /// How long it took, where that is not as long as the call.
    var nanoseconds: UInt64?
  }
}

/// Nanoseconds per message.
struct Cost {
  var publish = 0.0
  var receive = 0.0
}

/// Measures several cases turn by turn, so that what disturbs one disturbs all.
struct CostLoop {
  /// Fits into a lane, so that nobody ever waits: 512 messages of five granules, of 4,096.
  static let batch = 512
  private static let warmUp = 2
  let turns: Int
  let batches: Int
  let interruption: Interruption

  /// - Throws: what the cases throw, or when messages are missing.
  func measure(_ cases: [CostCase]) throws -> [Cost] {
    var publishing = cases.map { _ in [Double]() }
    var receiving = cases.map { _ in [Double]() }
    for _ in 0..<turns {
      for (index, entry) in cases.enumerated() {
        try interruption.check()
        // The first round through the lane touches memory for the first time.
        for _ in 0..<CostLoop.warmUp { _ = try CostLoop.once(entry) }
        for _ in 0..<batches {
          let cost = try CostLoop.once(entry)
          publishing[index].append(cost.publish)
          receiving[index].append(cost.receive)
        }
      }
    }
    return zip(publishing, receiving).map { publishing, receiving in
      Cost(publish: middle(of: publishing), receive: middle(of: receiving))
    }
  }

  private static func once(_ entry: CostCase) throws -> Cost {
    let start = conclave_monotonic_ns()
    try entry.publish(batch)
    let between = conclave_monotonic_ns()
    let received = try entry.receive?()
    let end = conclave_monotonic_ns()
    if let count = received?.count, count != batch {
      throw BenchmarkFailure("\(entry.name): received \(count) of \(batch)")
    }
    return Cost(
      publish: Double(between - start) / Double(batch),
      receive: Double(received?.nanoseconds ?? (end - between)) / Double(batch))
  }
}
