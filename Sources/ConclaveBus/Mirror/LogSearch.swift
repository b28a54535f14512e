/// Looks for a message in the topic files, and in the ring for what is not in them yet.
struct LogSearch {
  let shared: FileBusShared
  let ring: RingSearch

  /// Where to go on.
  enum Answer {
    case files(LogStart)
    /// At a position of the ring.
    case ring(UInt64)
  }

  /// The ring goes round while the files are read, if the mirror goes on: then they have it.
  static let attempts = 8

  /// Where a reading of `prefix` begins that goes on behind the message `id`.
  ///
  /// An id's counter is the time at which its process began, and a little more, so the message lies
  /// behind what was published before that. O(what was published since).
  /// - Throws: `notFound`, `system`.
  func start(behind id: MessageID, prefix: TopicPrefix) throws(BusError) -> Answer {
    for _ in 0..<LogSearch.attempts {
      let start = ring.start
      if let found = try startInFiles(behind: id, prefix: prefix) {
        return .files(found)
      }
      let answer = ring.find(id, from: start)
      if let position = answer.found { return .ring(position.addingSaturating(1)) }
      if answer.lost == nil { break }
    }
    throw .noSuchMessage(id, in: shared.directory, ring: true)
  }

  private func startInFiles(
    behind id: MessageID, prefix: TopicPrefix
  ) throws(BusError) -> LogStart? {
    let all = try TopicHistory(in: shared.directory).topics.keys.sorted { $0.name < $1.name }
    for topic in all.filter({ prefix.matches($0) }) + all.filter({ !prefix.matches($0) }) {
      guard let parts = try find(id, in: topic) else { continue }
      if let position = parts.position {
        let left: UInt64 = MirrorDefect.isPlanted(.leavesOutTheNext) ? 16 : 1
        return LogStart(position: position.addingSaturating(left), withForeign: false)
      }
      return LogStart(time: parts.timestamp, behind: (topic, id))
    }
    return nil
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
