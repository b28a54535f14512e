import CShim
import ConclaveBus

/// A bus with a long history: how soon it is open, and how fast the history is read.
enum MirrorHistory {
  static func measure(_ setting: Setting, _ record: inout Record) throws {
    let bytes = setting.size(1 << 30, quick: 1 << 20)
    try Scratch.with { scratch in
      let size = try write(scratch, bytes: bytes)
      let start = conclave_monotonic_ns()
      let bus = try MirroredBus(directory: scratch.directory)
      defer { bus.close() }
      let live = try bus.subscribe("")
      record.add(
        "open and subscribe with 1 GiB of history", Double(conclave_monotonic_ns() - start) / 1e6,
        "ms")
      live.cancel()
      try replay(bus, size, &record)
    }
  }

  private static func replay(_ bus: MirroredBus, _ size: UInt64, _ record: inout Record) throws {
    let start = conclave_monotonic_ns()
    let all = try bus.subscribe("bench", options: SubscriptionOptions(start: .beginning))
    var count = 0
    while true {
      let read = try all.drain(limit: 4096) { _, _ in }
      if read == 0 { break }
      count += read
    }
    let seconds = Double(conclave_monotonic_ns() - start) / 1e9
    record.add("replay", Double(size) / 1e6 / seconds, "MB/s")
    record.add("replay, messages", Double(count) / seconds, "/s")
  }

  /// - Returns: how many bytes there are.
  private static func write(_ scratch: Scratch, bytes: Int) throws -> UInt64 {
    let bus = try MirroredBus(directory: scratch.directory)
    let publisher = try bus.publisher(topic: Topic("bench"), sender: "s", type: "x")
    let payload = try Payloads.json(bytes: 256)
    for _ in 0..<bytes / 400 { try publisher.publish(payload) }
    bus.close()
    return try FileBus.status(of: scratch.directory).reduce(0) { $0 + $1.bytes }
  }
}
