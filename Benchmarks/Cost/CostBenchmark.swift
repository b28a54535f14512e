import ConclaveBus

/// What one message costs, in one thread: publishing 512, then receiving 512, so that nobody waits.
enum CostBenchmark: Benchmark {
  static let name = "cost"
  static let question = "nanoseconds per message in one thread, 256 bytes"

  static func run(_ setting: Setting, _ record: inout Record) throws {
    let loop = CostLoop(
      turns: setting.size(10, quick: 1), batches: setting.size(100, quick: 2),
      interruption: setting.interruption)
    try backPressure(loop, &record)
    try dropping(loop, &record)
    try publishing(loop, &record)
    try IdleSubscribers.measure(loop, &record)
  }

  /// Read in place: the way to read everything.
  private static func backPressure(_ loop: CostLoop, _ record: inout Record) throws {
    let costs = try measure(loop, .backPressure(timeout: nil), .inPlace, iterating: true)
    let (copy, plain, envelopes, swift) = (costs[0], costs[1], costs[2], costs[3])
    record.add("memcpy", copy.publish, "ns")
    record.add("publish, C shim", plain.publish, "ns")
    record.add("publish, C shim and envelope", envelopes.publish, "ns")
    record.add("publish, Swift", swift.publish, "ns")
    record.add("receive in place, C shim", plain.receive, "ns")
    record.add("receive in place, C shim and envelope", envelopes.receive, "ns")
    record.add("receive in place, Swift drain", swift.receive, "ns")
    record.add("receive, Swift poll() of envelopes", costs[4].receive, "ns")
    record.add("receive, Swift AsyncSequence", costs[5].receive, "ns")
    record.addRatio("publish, C shim / memcpy", plain.publish / copy.publish)
    record.addRatio("publish, Swift / C shim", swift.publish / plain.publish)
    record.addRatio("receive in place, Swift / C shim", swift.receive / plain.receive)
    record.addRatio(
      "publish + receive in place, Swift / C shim",
      (swift.publish + swift.receive) / (plain.publish + plain.receive), atMost: 1.25)
    record.addRatio(
      "publish + receive in place, Swift / C shim and envelope",
      (swift.publish + swift.receive) / (envelopes.publish + envelopes.receive))
  }

  /// Copied and judged: publishers never wait.
  private static func dropping(_ loop: CostLoop, _ record: inout Record) throws {
    let costs = try measure(loop, .dropping, .copying, iterating: false)
    let (plain, swift) = (costs[1], costs[3])
    record.add("receive copying, C shim", plain.receive, "ns")
    record.add("receive copying, Swift drain", swift.receive, "ns")
    record.addRatio("receive copying, Swift / C shim", swift.receive / plain.receive)
  }

  private static func publishing(_ loop: CostLoop, _ record: inout Record) throws {
    try Scratch.with { scratch in
      let bus = try SharedMemoryBus(directory: scratch.directory)
      defer { bus.close() }
      let costs = try loop.measure([try CostCases.validating(bus)])
      record.add("publish, Swift with validation", costs[0].publish, "ns")
    }
  }

  /// memcpy, the C shim, the same with envelopes, and Swift with `drain`, and where asked `poll`
  /// and `for await`: each on a ring of its own.
  private static func measure(
    _ loop: CostLoop, _ policy: SubscriptionOptions.Policy, _ reading: PlainRing.Reading,
    iterating: Bool
  ) throws -> [Cost] {
    let readings: [CostCases.Reading] = iterating ? [.drain, .poll, .iterate] : [.drain]
    return try Scratch.with { plain in
      try Scratch.with { envelopes in
        try withBuses(readings.count) { buses in
          var cases = [
            CostCases.memcpy(), try CostCases.plain(plain, reading),
            try CostCases.envelopes(envelopes, reading),
          ]
          for (bus, reading) in zip(buses, readings) {
            cases.append(try CostCases.swift(bus, policy, reading))
          }
          return try loop.measure(cases)
        }
      }
    }
  }

  private static func withBuses<R>(
    _ count: Int, _ buses: [SharedMemoryBus] = [], _ body: ([SharedMemoryBus]) throws -> R
  ) throws -> R {
    guard buses.count < count else { return try body(buses) }
    return try Scratch.with { scratch in
      let bus = try SharedMemoryBus(directory: scratch.directory)
      defer { bus.close() }
      return try withBuses(count, buses + [bus], body)
    }
  }
}
