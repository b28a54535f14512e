import CShim

/// Something whose cost per message is measured: so many messages are published, then received.
struct CostCase {
  let name: String
  /// Publishes so many messages.
  let publish: (Int) throws -> Void
  /// Receives what was published; returns how many messages. nil: nobody receives.
  let receive: (() throws -> Int)?
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
        for _ in 0..<batches {
          let start = conclave_monotonic_ns()
          try entry.publish(CostLoop.batch)
          let middle = conclave_monotonic_ns()
          let count = try entry.receive?()
          let end = conclave_monotonic_ns()
          guard count ?? CostLoop.batch == CostLoop.batch else {
            throw BenchmarkFailure("\(entry.name): received \(count ?? 0) of \(CostLoop.batch)")
          }
          publishing[index].append(Double(middle - start) / Double(CostLoop.batch))
          receiving[index].append(Double(end - middle) / Double(CostLoop.batch))
        }
      }
    }
    return zip(publishing, receiving).map { publishing, receiving in
      Cost(publish: middle(of: publishing), receive: middle(of: receiving))
    }
  }
}
