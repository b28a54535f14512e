import CShim
import ConclaveBus
import Glibc

/// What durability costs: the mirror's throughput, what publishers notice of it and of a full disk,
/// group commit, healing, opening and replaying.
enum MirrorBenchmark: Benchmark {
  static let name = "mirror"
  static let question =
    "messages a second into the files and onto the disk, 256 bytes, and what that costs"

  static func run(_ setting: Setting, _ record: inout Record) throws {
    try mirrored(setting, &record)
    try synced(setting, &record)
    try MirrorCost.measure(setting, &record)
    try MirrorFullDisk.measure(setting, &record)
    try MirrorHealing.measure(setting, &record)
    try MirrorHistory.measure(setting, &record)
  }

  /// Publishers at full speed and nobody else: until the last message is in the files.
  private static func mirrored(_ setting: Setting, _ record: inout Record) throws {
    let publishers = setting.size(50, quick: 3)
    let share = setting.size(2_000_000, quick: 600) / publishers
    try Scratch.with { scratch in
      let elapsed = try publish(setting, scratch, publishers, share, .ring)
      record.add(
        "into the files, \(publishers) processes", Double(publishers * share) / elapsed, "/s")
      try MirrorFaults.count(scratch, expected: UInt64(publishers * share), &record)
    }
  }

  /// Publishers that each wait for the disk, beside one that syncs for each message, and beside the
  /// same processes with nothing but a futex between them.
  private static func synced(_ setting: Setting, _ record: inout Record) throws {
    let publishers = setting.size(50, quick: 3)
    let share = setting.size(1000, quick: 10)
    try Scratch.with { scratch in
      let alone = try BareSync.perSecond(scratch, count: setting.size(300, quick: 5))
      let bare = try BareGroup.perSecond(
        setting, scratch, processes: publishers, rounds: setting.size(1000, quick: 5))
      let elapsed = try publish(setting, scratch, publishers, share, .synced)
      let together = Double(publishers * share) / elapsed
      record.add("onto the disk, \(publishers) processes that wait for it", together, "/s")
      record.add("onto the disk, write + fdatasync for each message", alone, "/s")
      record.add("onto the disk, bare futex, a write + fdatasync for all of them", bare, "/s")
      record.addRatio("time: group commit / a sync for each", alone / together, atMost: 0.05)
      record.addRatio("time: bare group commit / a sync for each", alone / bare)
      record.addRatio("time: group commit / bare group commit", bare / together)
    }
  }

  /// - Returns: seconds from the start until the last message is where it was promised to be.
  private static func publish(
    _ setting: Setting, _ scratch: Scratch, _ publishers: Int, _ share: Int,
    _ durability: Durability
  ) throws -> Double {
    let mirror = [MirroringWorker.name, scratch.path]
    let words = (0..<publishers).map {
      [MirroredPublishWorker.name, scratch.path, "\($0)", "\(share)", durability.rawValue]
    }
    return try withChildren([mirror] + words, setting.interruption) { children in
      let start = conclave_monotonic_ns()
      for child in children.dropFirst() { try child.order() }
      for child in children.dropFirst() { _ = try child.result() }
      try children[0].order()
      let end = try children[0].result().first ?? start
      return Double(end - start) / 1e9
    }
  }
}

/// Holds the bus open, and so is its mirror; told to, says when everything is in the files.
enum MirroringWorker: Worker {
  static let name = "mirroring"

  static func run(_ words: WorkerWords, _ line: ParentLine) throws {
    let bus = try MirroredBus(directory: BusDirectory(opening: words.text(0)))
    line.awaitStart()
    // Behind everything else in the ring's order.
    try bus.publish(
      Message(type: "x", sender: "end", payload: RawJSON("0")), to: Topic("end"),
      durability: .mirrored)
    line.report(conclave_monotonic_ns())
    _ = line.awaitOrder()
    bus.close()
  }
}

enum MirroredPublishWorker: Worker {
  static let name = "mirrored-publish"

  static func run(_ words: WorkerWords, _ line: ParentLine) throws {
    guard let durability = Durability(rawValue: try words.text(3)) else {
      throw BenchmarkFailure("no durability")
    }
    var options = MirrorOptions()
    options.isCandidate = false
    options.patience = .seconds(120)
    let bus = try MirroredBus(directory: BusDirectory(opening: words.text(0)), options: options)
    let publisher = try bus.publisher(
      topic: Topic("bench"), sender: "p\(words.text(1))", type: "x", durability: durability)
    let payload = try Payloads.json(bytes: 256)
    let share = try words.number(2)
    line.awaitStart()
    line.endWithParent()
    for _ in 0..<share { try publisher.publish(payload) }
    line.report(UInt64(share))
    // Until the parent hangs up.
    while true { pause() }
  }
}
