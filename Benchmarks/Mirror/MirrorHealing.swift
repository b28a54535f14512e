import CShim
import ConclaveBus
import Glibc

/// A dropping subscriber that is stopped for two seconds while publishers go on, and what it has in
/// the end.
enum MirrorHealing {
  static func measure(_ setting: Setting, _ record: inout Record) throws {
    let publishers = setting.size(50, quick: 3)
    let share = setting.size(4_000_000, quick: 6000) / publishers
    try Scratch.with { scratch in
      let reader = [
        HealedWorker.name, scratch.path, "\(publishers * share)",
      ]
      let words = (0..<publishers).map {
        [MirroredPublishWorker.name, scratch.path, "\($0)", "\(share)", Durability.ring.rawValue]
      }
      let all = [[MirroringWorker.name, scratch.path], reader] + words
      try withChildren(all, setting.interruption) { children in
        let stopped = children[1]
        try stopped.order()
        for child in children.dropFirst(2) { try child.order() }
        conclave_pace_until(conclave_monotonic_ns() + setting.size(300_000_000, quick: 1_000_000))
        stopped.signal(SIGSTOP)
        conclave_pace_until(
          conclave_monotonic_ns() + setting.size(2_000_000_000, quick: 20_000_000))
        stopped.signal(SIGCONT)
        for child in children.dropFirst(2) { _ = try child.result() }
        let result = try stopped.result()
        guard result.count == 3 else { throw BenchmarkFailure("healed: no result") }
        let expected = UInt64(publishers * share)
        record.addFault("stopped for 2 s: lost", expected > result[0] ? expected - result[0] : 0)
        record.addFault("stopped for 2 s: gaps, repeated or out of order", result[1])
        record.add("stopped for 2 s: everything after", Double(result[2]) / 1e9, "s")
      }
    }
  }
}

/// Receives until it has had everything, or nothing comes for long.
enum HealedWorker: Worker {
  static let name = "healed"

  static func run(_ words: WorkerWords, _ line: ParentLine) throws {
    var options = MirrorOptions()
    options.isCandidate = false
    let bus = try MirroredBus(directory: BusDirectory(opening: words.text(0)), options: options)
    let expected = UInt64(try words.number(1))
    let all = try bus.subscribe("bench")
    line.awaitStart()
    let start = conclave_monotonic_ns()
    var check = StreamCheck()
    var lastDelivery = start
    while check.messages < expected, conclave_monotonic_ns() - lastDelivery < 10_000_000_000 {
      let read = try all.drain(
        onGap: { check.take($0) }, onMessage: { view, _ in check.take(view) })
      if read > 0 { lastDelivery = conclave_monotonic_ns() } else { all.wait(timeout: .seconds(1)) }
    }
    line.report(check.messages, check.faults, conclave_monotonic_ns() - start)
    _ = line.awaitOrder()
  }
}
