import ConclaveBus

/// Counts messages and what is wrong with their numbers, for streams of one sender and topic for
/// each process.
struct StreamCheck {
  private struct Source: Hashable {
    var process: UInt32
    var incarnation: UInt64
  }

  private(set) var messages: UInt64 = 0
  /// Messages that do not follow the one before, and gaps.
  private(set) var faults: UInt64 = 0
  private var last: [Source: UInt64] = [:]

  mutating func take(_ view: borrowing EnvelopeView) {
    messages += 1
    let source = Source(process: view.id.process, incarnation: view.incarnation)
    if view.seq != last[source, default: 0] + 1 { faults += 1 }
    last[source] = view.seq
  }

  mutating func take(_ gap: Gap) { faults += 1 }
}

/// Whether the files have everything, once.
enum MirrorFaults {
  static func count(_ scratch: Scratch, expected: UInt64, _ record: inout Record) throws {
    let check = try check(scratch)
    let count = check.messages
    record.addFault("in the files: lost", expected > count ? expected - count : 0)
    record.addFault("in the files: too many", count > expected ? count - expected : 0)
    record.addFault("in the files: gaps, repeated or out of order", check.faults)
  }

  static func check(_ scratch: Scratch) throws -> StreamCheck {
    let bus = try FileBus(directory: scratch.directory)
    defer { bus.close() }
    let all = try bus.subscribe("bench", options: SubscriptionOptions(start: .beginning))
    var check = StreamCheck()
    while try all.drain(onGap: { check.take($0) }, onMessage: { view, _ in check.take(view) }) > 0 {
    }
    return check
  }
}
