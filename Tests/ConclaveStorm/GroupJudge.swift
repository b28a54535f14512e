import ConclaveBus

/// Judges a durable group by what its members noted: each message was acknowledged or comes to the
/// last member, and what was acknowledged never comes again.
struct GroupJudge {
  private(set) var faults: [String] = []
  private(set) var acknowledged: Set<UInt64> = []
  /// Received more than once.
  private(set) var repeated = 0
  private var received: Set<UInt64> = []
  /// By life: what was about to be acknowledged. If a life ended then, nobody knows whether it was.
  private var open: [Substring: [UInt64]] = [:]
  private var files: Set<UInt64>

  init(_ records: [Substring], files: [UInt64]) {
    self.files = Set(files)
    for record in records { take(record) }
  }

  private mutating func take(_ record: Substring) {
    let words = record.split(separator: " ")
    guard words.count > 2 else { return }
    let places = words[2...].compactMap { UInt64($0) }
    switch words[0] {
    case "had": for place in places { receive(place, by: "life \(words[1])") }
    case "will": open[words[1]] = places
    default:
      open[words[1]] = nil
      acknowledged.formUnion(places)
    }
  }

  private mutating func receive(_ place: UInt64, by who: String) {
    if !files.contains(place) { fault("\(who) received \(place), which is not in the files") }
    if acknowledged.contains(place) { fault("\(who) received \(place), which was acknowledged") }
    if !received.insert(place).inserted { repeated += 1 }
  }

  /// The last member, with nobody beside it, receives and acknowledges what is left.
  mutating func drain(_ path: String) throws {
    let bus = try StormBus.open(path)
    defer { bus.close() }
    let last = try StormMember.subscribe(bus)
    defer { last.close() }
    let inDoubt = Set(open.values.joined())
    var missing = files.subtracting(acknowledged).subtracting(inDoubt)
    // A little longer, for what must not come.
    while let next = try last.receive(timeout: missing.isEmpty ? .milliseconds(300) : .seconds(20))
    {
      let place = next.envelope.position ?? 0
      receive(place, by: "the last member")
      missing.remove(place)
      if try !last.acknowledge(next) { fault("\(place) was acknowledged before") }
      acknowledged.insert(place)
    }
    if let first = missing.min() {
      fault("\(missing.count) are lost, as that at \(first)")
    }
    let status = try MirroredBus.durableSubscriptions(of: BusDirectory(opening: path)).first
    if status?.unacknowledged != 0 || status?.lag != 0 {
      fault("the group is not done: \(status.map { "\($0)" } ?? "it is gone")")
    }
  }

  private mutating func fault(_ what: String) {
    if faults.count < 20 { faults.append("group: \(what)") }
  }
}
