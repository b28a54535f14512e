import ConclaveStress

/// How long a message is on its way to a subscriber that sleeps in between.
enum LatencyBenchmark: Benchmark {
  static let name = "latency"
  static let question = "one way to a sleeping subscriber through shared memory, 256 bytes, paced"

  static func run(_ setting: Setting, _ record: inout Record) throws {
    try manyToOne(setting, &record)
    try oneToOne(setting, &record)
  }

  /// From the time at which each message was due, so that a late publisher cannot hide it.
  private static func manyToOne(_ setting: Setting, _ record: inout Record) throws {
    let publishers = setting.size(50, quick: 3)
    let rate = 200 * publishers
    let result = try StressBench(setting: setting).run { plan in
      plan.publishers = publishers
      plan.subscribers = 1
      plan.rate = rate
      plan.messages = setting.size(5 * rate, quick: 30)
    }
    guard let latency = result.latencyMicroseconds else {
      throw BenchmarkFailure("nothing was measured")
    }
    let name = "\(publishers) publishers, \(rate)/s together, from when due:"
    record.add("\(name) p50", latency.p50, "us")
    record.add("\(name) p99", latency.p99, "us")
    record.add("\(name) p99.9", latency.p999, "us")
    record.add("\(name) max", latency.max, "us")
    var faults = FaultCount()
    faults.add(result)
    faults.record(in: &record)
  }

  private static func oneToOne(_ setting: Setting, _ record: inout Record) throws {
    let oneWay = OneWay(setting: setting, rate: 1000, count: setting.size(3000, quick: 30))
    let bus = try oneWay.over("shm")
    let paced = try oneWay.overBareFutex()
    let bare = try BareFutex.roundTrips(setting, setting.size(20_000, quick: 100))
    let p50 = Double(bus.percentile(0.5))
    record.add("1 publisher, 1,000/s, from publish: p50", p50 / 1e3, "us")
    record.add("1 publisher, 1,000/s, from publish: p99", Double(bus.percentile(0.99)) / 1e3, "us")
    record.add("bare futex, 1,000/s: p50", Double(paced.percentile(0.5)) / 1e3, "us")
    record.add("half a bare futex round trip: p50", Double(bare.percentile(0.5)) / 2e3, "us")
    record.addRatio("bus / bare futex at the same pace, p50", p50 / Double(paced.percentile(0.5)))
    record.addRatio(
      "bus / half a bare futex round trip, p50", p50 / Double(bare.percentile(0.5)) * 2, atMost: 1.5
    )
  }
}
