import ConclaveBus

extension StatusReport {
  /// For people.
  var text: String {
    var text = "bus          \(location.path)\n"
    if let segment = now.sharedMemory {
      text += self.text(of: segment)
    } else {
      text += "segment      none\n"
    }
    let bytes = now.files.reduce(0) { $0 &+ $1.bytes }
    let files = now.files.reduce(0) { $0 + $1.files.count }
    text += "files        \(files), \(readableBytes(bytes))\(fileUsers)\n"
    let unusable = now.unusableFiles.map { "unusable     \($0.path): \($0.reason)\n" }
    return text + topicTable + unusable.joined() + durableText
  }

  /// The number of files is only shown where a topic has more than one.
  private var topicTable: String {
    let isPlain = now.files.allSatisfy { $0.files.count == 1 }
    var table = TextTable(
      [("TOPIC", .left)] + (isPlain ? [] : [("FILES", .right)]) + [
        ("BYTES", .right), ("PER SECOND", .right), ("MODIFIED", .left),
      ])
    for file in now.files {
      let count = isPlain ? [] : ["\(file.files.count)"]
      table.add(
        [file.topic.name] + count + [
          "\(file.bytes)", shown(bytesPerSecond(file)), file.modified.description,
        ])
    }
    return table.text
  }

  private var fileUsers: String {
    guard !now.fileProcesses.isEmpty else { return "" }
    return ", used by process " + now.fileProcesses.map(String.init).joined(separator: ", ")
  }

  private func text(of segment: SharedMemoryStatus) -> String {
    let liveLanes = segment.lanes.count(where: \.isLive)
    let liveRows = segment.subscribers.count(where: \.isLive)
    let inMemory = readableBytes(segment.reservedBytes)
    let lost = segment.subscribers.reduce(0) { $0 &+ $1.lost }
    return """
      segment      \(segment.path), layout \(segment.layoutVersion), made \(segment.created)
                   \(readableBytes(segment.bytes)), of them \(inMemory) in memory
      geometry     \(segment.slotCount) slots, \(segment.laneCount) lanes of \
      \(readableBytes(UInt64(clamping: segment.laneBytes))), \(segment.subscriberCount) rows, \
      messages up to \(readableBytes(UInt64(clamping: segment.messageLimit)))
      records      \(segment.position), \(shown(recordsPerSecond(segment))) per second
      \(damageLine(segment))\
      lanes        \(liveLanes) live, \(segment.lanes.count - liveLanes) dead
      \(laneTable(segment))\
      subscribers  \(liveRows) live, \(segment.subscribers.count - liveRows) dead, \
      \(lost) messages lost

      """ + subscriberTable(segment) + text(of: segment.mirror)
  }

  private func damageLine(_ segment: SharedMemoryStatus) -> String {
    guard !segment.damage.isNone else { return "" }
    return "damage       \(segment.damage); end who lives and run conclave bus clean\n"
  }

  private func laneTable(_ segment: SharedMemoryStatus) -> String {
    var table = TextTable([
      ("LANE", .right), ("STATE", .left), ("PID", .right), ("MESSAGES", .right),
      ("PER SECOND", .right),
    ])
    for lane in segment.lanes {
      table.add(
        "\(lane.index)", state(lane.isLive), "\(lane.process)", "\(lane.messages)",
        shown(messagesPerSecond(lane)))
    }
    return table.text
  }

  private func subscriberTable(_ segment: SharedMemoryStatus) -> String {
    var table = TextTable([
      ("ROW", .right), ("STATE", .left), ("PID", .right), ("POLICY", .left),
      ("POSITION", .right), ("LAG", .right), ("LOST", .right), ("PREFIX", .left),
    ])
    for row in segment.subscribers {
      table.add(
        "\(row.index)", state(row.isLive), "\(row.process)", policy(row), "\(row.position)",
        "\(row.lag)", "\(row.lost)", prefix(row))
    }
    return table.text
  }

  /// Escaped when it is not plain text: in a damaged segment anything may stand there.
  func prefix(_ row: SharedMemoryStatus.Subscriber) -> String {
    let isPlain = row.prefix.utf8.allSatisfy { (0x20..<0x7F).contains($0) }
    return row.prefix.isEmpty ? "(all)" : isPlain ? row.prefix : quoted(row.prefix)
  }

  private func state(_ isLive: Bool) -> String { isLive ? "live" : "dead" }

  private func shown(_ rate: Double?) -> String { rate.map { decimal($0, digits: 1) } ?? "-" }
}
