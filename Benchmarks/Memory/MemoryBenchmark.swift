import ConclaveBus
import Glibc

/// What a bus occupies.
enum MemoryBenchmark: Benchmark {
  static let name = "memory"
  static let question = "shared memory occupied by live publishers and 4 subscribers"
  /// What containers usually have in /dev/shm.
  private static let limit = 64 << 20

  static func run(_ setting: Setting, _ record: inout Record) throws {
    let publishers = setting.size(50, quick: 5)
    try Scratch.with { scratch in
      let words =
        Array(repeating: [HoldingWorker.name, "shm", scratch.path, "subscribe"], count: 4)
        + Array(repeating: [HoldingWorker.name, "shm", scratch.path, "publish"], count: publishers)
      let bytes = try withChildren(words, setting.interruption) { _ in try occupied(scratch) }
      record.add("\(publishers) publishers", Double(bytes) / Double(1 << 20), "MiB")
      record.addFault(
        "\(publishers) publishers: bytes over 64 MiB", UInt64(max(0, bytes - limit)))
    }
  }

  private static func occupied(_ scratch: Scratch) throws -> Int {
    var status = stat()
    guard unsafe stat(scratch.segmentPath, &status) == 0 else {
      throw BenchmarkFailure("cannot look at the segment: \(systemText())")
    }
    return Int(status.st_blocks) * 512
  }
}

/// Publishes once or subscribes, and then just lives.
enum HoldingWorker: Worker {
  static let name = "hold"

  static func run(_ words: WorkerWords, _ line: ParentLine) throws {
    let bus = try words.bus(0)
    if try words.text(2) == "publish" {
      let publisher = try bus.publisher(topic: Topic("hold"), sender: "hold", type: "b")
      try publisher.publish(Payloads.json(bytes: 256))
      live(line, with: publisher)
    } else {
      let options = SubscriptionOptions(policy: .backPressure(timeout: nil))
      live(line, with: try bus.subscribe(options: options))
    }
  }

  private static func live(_ line: ParentLine, with handle: AnyObject) {
    withExtendedLifetime(handle) { line.awaitStart() }
  }
}
