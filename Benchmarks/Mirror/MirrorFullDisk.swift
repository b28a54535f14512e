import CShim
import ConclaveBus
import ConclaveStress
import Glibc

/// What a publish costs while the mirror has a full disk: the mirror, in another process, may not
/// make a file longer, so that each of its writes fails. As many messages as a lane has room for,
/// in turns with a mirror that writes; behind that publishers wait, or the mirror gives up what
/// they let it.
enum MirrorFullDisk {
  private static let messages = 500

  static func measure(_ setting: Setting, _ record: inout Record) throws {
    let turns = setting.size(40, quick: 2)
    var free = LatencyHistogram()
    var full = LatencyHistogram()
    var faults: UInt64 = 0
    for _ in 0..<turns {
      faults += try publish(setting, .free, &free)
      faults += try publish(setting, .full, &full)
    }
    for (name, times) in [("mirror that writes", free), ("full disk", full)] {
      record.add("publish, \(name): p50", Double(times.percentile(0.5)), "ns")
      record.add("publish, \(name): p99", Double(times.percentile(0.99)), "ns")
    }
    record.addRatio(
      "publish: full disk / mirror that writes, p99",
      Double(full.percentile(0.99)) / Double(free.percentile(0.99)), atMost: 2)
    record.addFault("full disk, then room: not in the files, or not in order", faults)
  }

  enum Disk: String { case free, full }

  /// - Returns: how many of them the files do not have once there is room, or not in order.
  private static func publish(
    _ setting: Setting, _ disk: Disk, _ times: inout LatencyHistogram
  ) throws -> UInt64 {
    try Scratch.with { scratch in
      try withChildren([[FullDiskWorker.name, scratch.path, disk.rawValue]], setting.interruption) {
        children in
        var options = MirrorOptions()
        options.isCandidate = false
        let bus = try MirroredBus(directory: scratch.directory, options: options)
        defer { bus.close() }
        let publisher = try bus.publisher(
          topic: Topic("bench"), sender: "s", type: "x", durability: .ring)
        let payload = try Payloads.json(bytes: 256)
        for _ in 0..<messages {
          let start = conclave_monotonic_ns()
          try publisher.publish(payload)
          times.record(conclave_monotonic_ns() - start)
        }
        try children[0].order()
        _ = try children[0].result()
      }
      let check = try MirrorFaults.check(scratch)
      return check.faults + UInt64(messages) - min(UInt64(messages), check.messages)
    }
  }
}

/// Mirrors, with room for one message or for all; then, told to, with room, until all is in the
/// files.
enum FullDiskWorker: Worker {
  static let name = "full-disk"

  static func run(_ words: WorkerWords, _ line: ParentLine) throws {
    signal(SIGXFSZ, SIG_IGN)
    let bus = try MirroredBus(directory: BusDirectory(opening: words.text(0)))
    try mirrorOne(bus)
    if try words.text(1) == MirrorFullDisk.Disk.full.rawValue { try limitFiles(to: 0) }
    line.awaitStart()
    try limitFiles(to: nil)
    try mirrorOne(bus)
    bus.close()
    line.report(0)
    _ = line.awaitOrder()
  }

  private static func mirrorOne(_ bus: MirroredBus) throws {
    try bus.publish(
      Message(type: "x", sender: "end", payload: RawJSON("0")), to: Topic("end"),
      durability: .mirrored)
  }

  /// - Parameter bytes: nil for what the process may allow itself.
  private static func limitFiles(to bytes: UInt?) throws {
    let which = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
    var limit = rlimit()
    _ = unsafe getrlimit(which, &limit)
    limit.rlim_cur = bytes.map { rlim_t($0) } ?? limit.rlim_max
    guard unsafe setrlimit(which, &limit) == 0 else {
      throw BenchmarkFailure("cannot limit files: \(systemText())")
    }
  }
}
