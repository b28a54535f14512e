import CShim
import ConclaveBus
import ConclaveStress

/// Two processes, each asleep until the other has spoken.
enum PingPongBenchmark: Benchmark {
  static let name = "pingpong"
  static let question = "half a round trip between two processes that sleep meanwhile, 256 bytes"

  static func run(_ setting: Setting, _ record: inout Record) throws {
    let count = setting.size(20_000, quick: 100)
    let bus = try overBus(setting, count)
    let bare = try BareFutex.roundTrips(setting, count)
    for (name, times) in [("shared-memory bus", bus), ("bare futex", bare)] {
      record.add("\(name) p50", Double(times.percentile(0.5)) / 2e3, "us")
      record.add("\(name) p99", Double(times.percentile(0.99)) / 2e3, "us")
    }
    record.addRatio(
      "wake-up ratio: bus / bare futex, p50",
      Double(bus.percentile(0.5)) / Double(bare.percentile(0.5)))
  }

  private static func overBus(_ setting: Setting, _ count: Int) throws -> LatencyHistogram {
    try Scratch.with { scratch in
      let bus = try SharedMemoryBus(directory: scratch.directory)
      defer { bus.close() }
      let publisher = try bus.publisher(topic: Topic("ping"), sender: "ping", type: "b")
      let answers = try bus.subscribe("pong")
      let payload = try Payloads.json(bytes: 256)
      var times = LatencyHistogram()
      let words = [EchoWorker.name, "shm", scratch.path, "\(count)"]
      try withChildren([words], setting.interruption) { children in
        try children[0].order()
        for _ in 0..<count {
          let start = conclave_monotonic_ns()
          try publisher.publish(payload)
          try EchoWorker.awaitOne(answers)
          times.record(conclave_monotonic_ns() - start)
        }
      }
      return times
    }
  }
}

/// Answers each message with one.
enum EchoWorker: Worker {
  static let name = "echo"

  static func run(_ words: WorkerWords, _ line: ParentLine) throws {
    let bus = try words.bus(0)
    let count = try words.number(2)
    let publisher = try bus.publisher(topic: Topic("pong"), sender: "pong", type: "b")
    let questions = try bus.subscribe("ping")
    let payload = try Payloads.json(bytes: 256)
    line.awaitStart()
    line.endWithParent()
    for _ in 0..<count {
      try awaitOne(questions)
      try publisher.publish(payload)
    }
  }

  /// Waits for one message; not for ever, since the other process may have died.
  static func awaitOne(_ subscription: Subscription) throws {
    var deadline: UInt64?
    while try subscription.drain(limit: 1, onMessage: { _, _ in }) == 0 {
      let now = conclave_monotonic_ns()
      if let deadline, now > deadline { throw BenchmarkFailure("no answer for 10 s") }
      deadline = deadline ?? now + 10_000_000_000
      subscription.wait(timeout: .seconds(1))
    }
  }
}
