import ConclaveBus

/// Says on standard error what a subscription missed.
struct DeliveryNotes: Sendable {
  let notes: Notes

  func report(_ gap: Gap) {
    guard notes.json else {
      let lost = gap.count == 1 ? "1 message" : "\(gap.count) messages"
      return notes.say(
        "conclave: gap: \(lost) of \(quoted(gap.sender)) on \(gap.topic) lost "
          + "(seq \(gap.seq.lowerBound) to \(gap.seq.upperBound), \(gap.reason.rawValue))")
    }
    var object = JSONObject()
    object.add("sender", gap.sender)
    object.add("topic", gap.topic.name)
    object.add("process", gap.process)
    object.add("incarnation", gap.incarnation)
    object.add("from", gap.seq.lowerBound)
    object.add("to", gap.seq.upperBound)
    object.add("count", gap.count)
    object.add("reason", gap.reason.rawValue)
    notes.say(JSONObject.line("gap", object))
  }

  func warn(_ warning: BusWarning) {
    let (kind, message) = words(for: warning)
    notes.warn(kind, message)
  }

  /// Names what bears a topic file's name and is none, so that nobody takes its topic for empty.
  func warnOfUnusableFiles(in directory: BusDirectory) throws(BusError) {
    for file in try FileBus.unusableFiles(of: directory) {
      let name = file.path.split(separator: "/").last ?? ""
      warn(.unusableFile(file: String(name), reason: file.reason))
    }
  }

  private func words(for warning: BusWarning) -> (kind: String, message: String) {
    switch warning {
    case .overrun:
      ("overrun", "this subscriber is too slow and was overrun; gaps say what is lost")
    case .queueFull(let capacity):
      (
        "queueFull",
        "this subscriber is too slow and its queue of \(capacity) is full; gaps say what is lost"
      )
    case .damagedLine(let file, let offset, let reason):
      ("damagedLine", "skipped a line of \(quoted(file)) at byte \(offset): \(reason)")
    case .unusableFile(let file, let reason):
      ("unusableFile", "\(quoted(file)) cannot be used as a topic file: \(reason)")
    case .fileReplaced(let file):
      ("fileReplaced", "\(quoted(file)) was cut off or replaced while it was read")
    case .filesRemoved(let topic, let numbers):
      (
        "filesRemoved",
        numbers.count == 1
          ? "file \(numbers.lowerBound) of topic \(topic) was removed before it was read"
          : "files \(numbers.lowerBound) to \(numbers.upperBound) of topic \(topic) were removed "
            + "before they were read"
      )
    case .rotationFailed(let topic, let reason):
      ("rotationFailed", "the file of topic \(topic) could not be rotated: \(reason)")
    case .retentionFailed(let reason):
      ("retentionFailed", "old files could not be removed: \(reason)")
    case .retentionOvertook(let subscription, let topic):
      (
        "retentionOvertook",
        "removed messages of topic \(topic) that \(quoted(subscription)) had not acknowledged"
      )
    case .messagesRemoved(let topic, let places):
      (
        "messagesRemoved",
        "the rules of retention have removed messages of topic \(topic) that would come here"
          + (places == .max ? "" : ", in \(places) \(places == 1 ? "place" : "places") at most")
      )
    case .damagedRecord(let position, let reason):
      ("damagedRecord", "skipped the record at position \(position): \(reason)")
    case .damagedSegment(let reason):
      ("damagedSegment", "the shared memory is damaged: \(reason); see conclave bus status")
    case .segmentReplaced(let path, let reason):
      ("segmentReplaced", "replaced the segment \(path), which \(reason) and was in nobody's use")
    case .abandonedMessage(let process):
      ("abandonedMessage", "process \(process) died in the middle of a large message")
    case .unmirrored(let count, let reason):
      ("unmirrored", "\(count) records are not in the topic files: \(reason)")
    case .mirrorFailing(let reason):
      ("mirrorFailing", "the mirror cannot write and tries again: \(reason)")
    case .mirrorRecovered: ("mirrorRecovered", "the mirror can write again")
    case .syncFailed(let reason): ("syncFailed", reason)
    case .mirrorTaken: ("mirrorTaken", "this process is the mirror now")
    case .mirrorRefused(let reason):
      ("mirrorRefused", "this process cannot be the mirror: \(reason)")
    case .durableLoss(let name, let count, let reason):
      ("durableLoss", "the durable subscription \(name) has lost \(count) places: \(reason)")
    case .deadLettered(let name, let id, let reason):
      (
        "deadLettered",
        "\(id?.description ?? "a message") was moved to dead-letter.\(name): \(reason)"
      )
    case .deadLetterFailed(let name, let reason):
      ("deadLetterFailed", "cannot publish to dead-letter.\(name) yet: \(reason)")
    case .pollingInstead(let reason):
      ("pollingInstead", "polling, because file changes cannot be watched here: \(reason)")
    }
  }
}
