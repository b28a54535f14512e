import CShim
import ConclaveBus

/// What a publish costs when the mirror keeps up: bursts that fit into the ring, and time between
/// them, with and without a mirror in another process, in turns.
enum MirrorCost {
  private static let burst = 500

  static func measure(_ setting: Setting, _ record: inout Record) throws {
    let turns = setting.size(20, quick: 2)
    var costs: [(without: Double, with: Double)] = []
    for _ in 0..<turns {
      costs.append(
        (try publish(setting, isMirrored: false), try publish(setting, isMirrored: true)))
    }
    let (without, with) = (middle(of: costs.map(\.without)), middle(of: costs.map(\.with)))
    record.add("publish in bursts, no mirror", without, "ns")
    record.add("publish in bursts, mirrored", with, "ns")
    record.addRatio(
      "publish: mirrored / no mirror", middle(of: costs.map { $0.with / $0.without }), atMost: 1.1)
  }

  /// - Returns: the median burst's nanoseconds per publish.
  private static func publish(_ setting: Setting, isMirrored: Bool) throws -> Double {
    try Scratch.with { scratch in
      let mirror = isMirrored ? [[MirroringWorker.name, scratch.path]] : []
      return try withChildren(mirror, setting.interruption) { _ in
        let bus = try SharedMemoryBus(directory: scratch.directory)
        defer { bus.close() }
        let publisher = try bus.publisher(topic: Topic("bench"), sender: "s", type: "x")
        let payload = try Payloads.json(bytes: 256)
        var bursts: [Double] = []
        for _ in 0..<setting.size(100, quick: 3) {
          let start = conclave_monotonic_ns()
          for _ in 0..<burst { try publisher.publish(payload) }
          bursts.append(Double(conclave_monotonic_ns() - start) / Double(burst))
          conclave_pace_until(conclave_monotonic_ns() + 2_000_000)
        }
        return middle(of: bursts)
      }
    }
  }
}
