import ConclaveBus

/// What `status` says of the durable mirror.
extension StatusReport {
  func json(of mirror: SharedMemoryStatus.Mirror) -> JSONObject {
    var object = mirror.json
    object.add("messagesPerSecond", messagesPerSecond(mirror))
    return object
  }

  /// Lines for people; nothing when the segment was never mirrored.
  func text(of mirror: SharedMemoryStatus.Mirror?) -> String {
    guard let mirror else { return "" }
    let who = mirror.process.map { "process \($0)" } ?? "nobody just now"
    let rate = messagesPerSecond(mirror).map { decimal($0, digits: 1) } ?? "-"
    var text = """
      mirror       \(who), \(mirror.lag) records behind
                   mirrored up to \(mirror.mirrored), on the disk up to \(mirror.synced)
                   \(mirror.messages) messages, \(rate) per second, \(readableBytes(mirror.bytes))

      """
    if let trouble = mirror.troubleName {
      text += "             cannot write (\(trouble)) and tries again\n"
      if mirror.trouble == .notFound {
        text += "             its bus directory was moved or removed: put it back, or end it\n"
      }
    }
    text += words(for: mirror.skipped, "not in the files")
    return text + words(for: mirror.unsynced, "perhaps not on the disk")
  }

  private func words(
    for stretches: SharedMemoryStatus.Mirror.Stretches, _ fault: String
  ) -> String {
    guard stretches.count > 0 else { return "" }
    let times = stretches.count == 1 ? "1 stretch" : "\(stretches.count) stretches"
    let last = stretches.last.map { ", the last one from \($0.lowerBound) to \($0.upperBound)" }
    return "             \(times) of records \(fault)\(last ?? "")\n"
  }

  private func messagesPerSecond(_ mirror: SharedMemoryStatus.Mirror) -> Double? {
    guard let old = before?.sharedMemory, old.generation == now.sharedMemory?.generation else {
      return nil
    }
    return rate(from: old.mirror?.messages ?? 0, to: mirror.messages)
  }
}

extension SharedMemoryStatus.Mirror {
  /// For scripts; keys are only ever added.
  var json: JSONObject {
    var object = JSONObject()
    if let process { object.add("process", process) } else { object.addNull("process") }
    object.add("mirrored", mirrored)
    object.add("synced", synced)
    object.add("lag", lag)
    object.add("messages", messages)
    object.add("bytes", bytes)
    if let troubleName { object.add("trouble", troubleName) } else { object.addNull("trouble") }
    object.add("skipped", skipped.json)
    object.add("unsynced", unsynced.json)
    return object
  }

  /// Why it cannot write; nil when it can.
  var troubleName: String? { isFailing ? trouble?.rawValue ?? "unknown" : nil }
}

extension SharedMemoryStatus.Mirror.Stretches {
  fileprivate var json: JSONObject {
    var object = JSONObject()
    object.add("stretches", count)
    if let last {
      object.add("from", last.lowerBound)
      object.add("end", last.upperBound)
    } else {
      object.addNull("from")
      object.addNull("end")
    }
    return object
  }
}
