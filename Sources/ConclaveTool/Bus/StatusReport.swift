import ConclaveBus

/// Two looks at a bus, or one, as text or JSON.
struct StatusReport {
  let location: BusLocation
  let now: BusSnapshot
  /// The first look, `seconds` before, for the rates.
  let before: BusSnapshot?
  let seconds: Double

  // MARK: JSON

  var json: JSONObject {
    var object = JSONObject()
    object.add("directory", location.path)
    object.add("rule", location.rule.rawValue)
    object.add("intervalSeconds", before == nil ? nil : seconds)
    if let segment = now.sharedMemory {
      object.add("sharedMemory", json(of: segment))
    } else {
      object.addNull("sharedMemory")
    }
    object.add("files", now.files.map(json(of:)))
    return object
  }

  private func json(of segment: SharedMemoryStatus) -> JSONObject {
    var object = JSONObject()
    object.add("path", segment.path)
    object.add("bytes", segment.bytes)
    object.add("reservedBytes", segment.reservedBytes)
    object.add("layoutVersion", segment.layoutVersion)
    object.add("generation", segment.generation)
    object.add("created", segment.created.description)
    object.add("slots", segment.slotCount)
    object.add("laneCount", segment.laneCount)
    object.add("laneBytes", segment.laneBytes)
    object.add("subscriberCount", segment.subscriberCount)
    object.add("messageLimit", segment.messageLimit)
    object.add("position", segment.position)
    object.add("recordsPerSecond", recordsPerSecond(segment))
    object.add("lanes", segment.lanes.map(json(of:)))
    object.add("subscribers", segment.subscribers.map(json(of:)))
    return object
  }

  private func json(of lane: SharedMemoryStatus.Lane) -> JSONObject {
    var object = JSONObject()
    object.add("index", lane.index)
    object.add("live", lane.isLive)
    object.add("process", lane.process)
    object.add("incarnation", lane.incarnation)
    object.add("messages", lane.messages)
    object.add("messagesPerSecond", messagesPerSecond(lane))
    return object
  }

  private func json(of subscriber: SharedMemoryStatus.Subscriber) -> JSONObject {
    var object = JSONObject()
    object.add("index", subscriber.index)
    object.add("live", subscriber.isLive)
    object.add("process", subscriber.process)
    object.add("prefix", subscriber.prefix)
    object.add("policy", policy(subscriber))
    object.add("position", subscriber.position)
    object.add("lag", subscriber.lag)
    object.add("lost", subscriber.lost)
    return object
  }

  private func json(of file: TopicFileStatus) -> JSONObject {
    var object = JSONObject()
    object.add("topic", file.topic.name)
    object.add("path", file.path)
    object.add("bytes", file.bytes)
    object.add("modified", file.modified.description)
    object.add("bytesPerSecond", bytesPerSecond(file))
    return object
  }

  // MARK: Text

  var text: String {
    var text = "bus          \(location.path)\n"
    if let segment = now.sharedMemory {
      text += self.text(of: segment)
    } else {
      text += "segment      none\n"
    }
    let bytes = now.files.reduce(0) { $0 + $1.bytes }
    text += "files        \(now.files.count), \(readableBytes(bytes))\n"
    var table = TextTable([
      ("TOPIC", .left), ("BYTES", .right), ("PER SECOND", .right), ("MODIFIED", .left),
    ])
    for file in now.files {
      table.add(
        file.topic.name, "\(file.bytes)", shown(bytesPerSecond(file)), file.modified.description)
    }
    return text + table.text
  }

  private func text(of segment: SharedMemoryStatus) -> String {
    let liveLanes = segment.lanes.count(where: \.isLive)
    let liveRows = segment.subscribers.count(where: \.isLive)
    let lost = segment.subscribers.reduce(0) { $0 &+ $1.lost }
    return """
      segment      \(segment.path), layout \(segment.layoutVersion), made \(segment.created)
                   \(readableBytes(segment.bytes)), of them \(readableBytes(segment.reservedBytes)) in memory
      geometry     \(segment.slotCount) slots, \(segment.laneCount) lanes of \
      \(readableBytes(UInt64(clamping: segment.laneBytes))), \(segment.subscriberCount) rows, \
      messages up to \(readableBytes(UInt64(clamping: segment.messageLimit)))
      records      \(segment.position), \(shown(recordsPerSecond(segment))) per second
      lanes        \(liveLanes) live, \(segment.lanes.count - liveLanes) dead
      \(laneTable(segment))\
      subscribers  \(liveRows) live, \(segment.subscribers.count - liveRows) dead, \
      \(lost) messages lost

      """ + subscriberTable(segment)
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
        "\(row.lag)", "\(row.lost)", row.prefix.isEmpty ? "(all)" : row.prefix)
    }
    return table.text
  }

  private func state(_ isLive: Bool) -> String { isLive ? "live" : "dead" }

  private func policy(_ subscriber: SharedMemoryStatus.Subscriber) -> String {
    subscriber.hasBackPressure ? "back-pressure" : "dropping"
  }

  private func shown(_ rate: Double?) -> String { rate.map { decimal($0, digits: 1) } ?? "-" }

  // MARK: Rates; nil when they were not measured or what was counted is not the same thing any more

  private func recordsPerSecond(_ segment: SharedMemoryStatus) -> Double? {
    guard let old = before?.sharedMemory, old.generation == segment.generation else { return nil }
    return rate(from: old.position, to: segment.position)
  }

  private func messagesPerSecond(_ lane: SharedMemoryStatus.Lane) -> Double? {
    let old = before?.sharedMemory?.lanes.first {
      $0.index == lane.index && $0.process == lane.process && $0.incarnation == lane.incarnation
    }
    return old.flatMap { rate(from: $0.messages, to: lane.messages) }
  }

  private func bytesPerSecond(_ file: TopicFileStatus) -> Double? {
    let old = before?.files.first { $0.topic == file.topic }
    return old.flatMap { rate(from: $0.bytes, to: file.bytes) }
  }

  private func rate(from old: UInt64, to new: UInt64) -> Double? {
    new >= old && seconds > 0 ? Double(new - old) / seconds : nil
  }
}
