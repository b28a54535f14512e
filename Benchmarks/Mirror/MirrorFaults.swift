import ConclaveBus

/// Whether the files have everything, once.
enum MirrorFaults {
  static func count(_ scratch: Scratch, expected: UInt64, _ record: inout Record) throws {
    let bus = try FileBus(directory: scratch.directory)
    defer { bus.close() }
    let all = try bus.subscribe("bench", options: SubscriptionOptions(start: .beginning))
    var (count, faults): (UInt64, UInt64) = (0, 0)
    var last: [UInt64: UInt64] = [:]
    while try all.drain(
      onGap: { faults += $0.count },
      onMessage: { view, _ in
        count += 1
        if view.seq != last[view.incarnation, default: 0] + 1 { faults += 1 }
        last[view.incarnation] = view.seq
      }) > 0
    {}
    record.addFault("in the files: lost", expected > count ? expected - count : 0)
    record.addFault("in the files: too many", count > expected ? count - expected : 0)
    record.addFault("in the files: gaps, repeated or out of order", faults)
  }
}
