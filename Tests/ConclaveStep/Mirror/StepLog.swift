import ConclaveBus

/// What stands in the topic files, active and rotated, line by line.
struct StepLog {
  /// The numbers of each sender's messages, sorted, with repetitions.
  private(set) var numbers: [String: [Int]] = [:]
  /// The places in the log of all of them.
  private(set) var positions: Set<UInt64> = []
  /// The last number of each sender in the topic that is being read.
  private var latest: [String: Int] = [:]
  private(set) var faults: [String] = []

  /// - Parameter mayBeTorn: whether the active files may end in the middle of a line: nobody has
  ///   appended since somebody died.
  init(_ files: StepFiles, mayBeTorn: Bool) {
    for topic in StepBus.topics {
      let active = "\(topic).jsonl"
      let rotated = files.contents.keys.filter { $0.hasPrefix("\(active).") }.sorted()
      judgeNames(rotated, active)
      var last: UInt64?
      latest = [:]
      for name in rotated + [active] {
        guard let bytes = files.contents[name] else { continue }
        if name != active, bytes.count < StepBus.rotateBytes {
          faults.append("\(name) was rotated with \(bytes.count) bytes")
        }
        read(bytes, name, topic, mayBeTorn: mayBeTorn && name == active, &last)
      }
    }
    for sender in numbers.keys { numbers[sender]?.sort() }
  }

  /// Numbers come without a hole, and never again.
  private mutating func judgeNames(_ rotated: [String], _ active: String) {
    for (index, name) in rotated.enumerated() {
      let digits = String(index + 1)
      let expected = active + "." + String(repeating: "0", count: 6 - digits.count) + digits
      if name != expected { faults.append("\(name) is there where \(expected) should be") }
    }
  }

  private mutating func read(
    _ bytes: [UInt8], _ name: String, _ topic: String, mayBeTorn: Bool, _ last: inout UInt64?
  ) {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if let rest = lines.last, !rest.isEmpty, !mayBeTorn {
      faults.append("\(name) ends in the middle of a line")
    }
    for (index, line) in lines.dropLast().enumerated() {
      let place = "line \(index + 1) of \(name)"
      guard let envelope = unsafe try? Envelope(jsonLine: Array(line).span.bytes),
        let step = StepMessage(envelope, of: topic)
      else {
        faults.append("\(place) is what nobody has published")
        continue
      }
      if let before = latest[step.sender], step.number <= before {
        faults.append("\(place) is \(step.sender) \(step.number), behind \(before)")
      }
      latest[step.sender] = step.number
      numbers[step.sender, default: []].append(step.number)
      guard let position = envelope.position else {
        faults.append("\(place) has no place in the log")
        continue
      }
      if let last, position <= last { faults.append("\(place) is at \(position), behind \(last)") }
      if !positions.insert(position).inserted {
        faults.append("\(place) is the second at \(position)")
      }
      last = position
    }
  }

  /// - Parameters:
  ///   - least: how many it must be of each sender that has been promised something;
  ///   - most: and how many of each it may be.
  mutating func judge(least: [String: Int], most: [String: Int]) {
    for (sender, found) in numbers.sorted(by: { $0.key < $1.key }) {
      if let most = most[sender], found.count > most {
        faults.append("there are \(found.count) messages of \(sender), who has sent \(most)")
      }
      if most[sender] == nil { faults.append("\(sender) has published nothing") }
    }
    for (sender, count) in least.sorted(by: { $0.key < $1.key }) {
      let found = numbers[sender] ?? []
      if found != Array(1..<1 + max(count, found.count)) {
        faults.append("of \(sender), who has sent 1 to \(count), there are \(found)")
      }
    }
  }
}
