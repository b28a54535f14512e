import ConclaveStress

/// How many messages a second go through, every byte checked by every subscriber.
enum ThroughputBenchmark: Benchmark {
  static let name = "throughput"
  static let question =
    "messages a second under back pressure, 256 bytes, every one checked by every subscriber"

  static func run(_ setting: Setting, _ record: inout Record) throws {
    let many = setting.size(50, quick: 2)
    let few = setting.size(4, quick: 2)
    for transport in StressPlan.Transport.allCases {
      let messages = setting.size(fullSize(transport), quick: 300)
      for (publishers, subscribers) in [(1, 1), (many, 1), (many, few)] {
        let result = try StressBench(setting: setting).run { plan in
          plan.transport = transport
          plan.publishers = publishers
          plan.subscribers = subscribers
          plan.messages = messages / subscribers / publishers * publishers
        }
        add(result, "\(transport.rawValue) \(publishers) to \(subscribers)", &record)
      }
    }
    try addAsync(setting, 1, &record)
    try addAsync(setting, many, &record)
  }

  /// What takes about a second or two.
  private static func fullSize(_ transport: StressPlan.Transport) -> Int {
    switch transport {
    case .shm: 8_000_000
    case .file: 200_000
    case .channel: 200_000
    }
  }

  private static func add(_ result: StressResult, _ name: String, _ record: inout Record) {
    record.add("\(name)", result.messagesPerSecond / 1e6, "M/s")
    record.add("\(name): longest stall", result.longestPublisherStallMilliseconds, "ms")
    var faults = FaultCount()
    faults.add(result)
    faults.record(in: &record, "\(name): ")
  }

  private static func addAsync(
    _ setting: Setting, _ publishers: Int, _ record: inout Record
  ) throws {
    let share = setting.size(2_000_000, quick: 300) / publishers
    let result = try AsyncThroughput.run(setting, publishers: publishers, share: share)
    let name = "shm \(publishers) to 1 AsyncSequence"
    record.add(name, result.messagesPerSecond / 1e6, "M/s")
    result.faults.record(in: &record, "\(name): ")
  }
}
