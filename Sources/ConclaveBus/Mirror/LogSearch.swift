/// Looks for a message in the topic files.
struct LogSearch {
  let shared: FileBusShared

  /// Where a reading of `prefix` begins that goes on behind the message `id`.
  ///
  /// An id's counter is the time at which its process began, and a little more, so the message lies
  /// behind what was published before that. O(what was published since).
  /// - Throws: `notFound`, `system`.
  func start(behind id: MessageID, prefix: TopicPrefix) throws(BusError) -> LogStart {
    let all = try TopicHistory(in: shared.directory).topics.keys.sorted { $0.name < $1.name }
    for topic in all.filter({ prefix.matches($0) }) + all.filter({ !prefix.matches($0) }) {
      guard let parts = try find(id, in: topic) else { continue }
      if let position = parts.position {
        let left: UInt64 = MirrorDefect.isPlanted(.leavesOutTheNext) ? 16 : 1
        return LogStart(position: position.addingSaturating(left), withForeign: false)
      }
      return LogStart(time: parts.timestamp, behind: (topic, id))
    }
    throw BusError(
      .notFound, "no file of this bus holds a message with the id \(id)",
      hint: "start at the beginning, or with what comes from now on")
  }

  private func find(_ id: MessageID, in topic: Topic) throws(BusError) -> EnvelopeLine? {
    let early = id.counter - min(id.counter, 1_000_000_000)
    let reading = LogTopic(
      topic, shared, LogStart(time: Timestamp(nanosecondsSinceEpoch: early)),
      FileReporter(onWarning: nil))
    do throws(BusError) {
      while try reading.advance(), let head = reading.tail?.head {
        if head.parts.id == id { return head.parts }
        reading.tail?.consumeHead()
      }
      return nil
    } catch {
      if error.code == .incompatible || error.code == .permissionDenied { return nil }
      throw error
    }
  }
}
