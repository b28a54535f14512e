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
  /// By how much an id's counter may be ahead of the time stamps around it, in nanoseconds.
  static let clockSlack: UInt64 = 1_000_000_000

  /// Where a reading of `prefix` begins that goes on behind the message `id`.
  ///
  /// An id's counter is the time at which its process began, and a little more, so the message lies
  /// behind what was published before that, unless somebody has set the clock since: what is found
  /// in neither place then is looked for in all that there is. O(what was published since), or else
  /// O(everything).
  /// - Throws: `notFound`, `system`.
  func start(behind id: MessageID, prefix: TopicPrefix) throws(BusError) -> Answer {
    for _ in 0..<LogSearch.attempts {
      let start = ring.start
      let early = Timestamp(
        nanosecondsSinceEpoch: id.counter - min(id.counter, LogSearch.clockSlack))
      if let found = try startInFiles(behind: id, prefix: prefix, since: early) {
        return .files(found)
      }
      let answer = ring.find(id, from: start)
      if let position = answer.found { return .ring(position.addingSaturating(1)) }
      if answer.lost == nil { break }
    }
    if let found = try startInFiles(behind: id, prefix: prefix, since: nil) {
      return .files(found)
    }
    throw .noSuchMessage(id, in: shared.directory, ring: true)
  }

  private func startInFiles(
    behind id: MessageID, prefix: TopicPrefix, since time: Timestamp?
  ) throws(BusError) -> LogStart? {
    let all = try TopicHistory(in: shared.directory).topics.keys.sorted { $0.name < $1.name }
    for topic in all.filter({ prefix.matches($0) }) + all.filter({ !prefix.matches($0) }) {
      guard let parts = try find(id, in: topic, since: time) else { continue }
      if let position = parts.position {
        let left: UInt64 = MirrorDefect.isPlanted(.leavesOutTheNext) ? 16 : 1
        return LogStart(position: position.addingSaturating(left), withForeign: false)
      }
      return LogStart(time: parts.timestamp, behind: (topic, id))
    }
    return nil
  }

  private func find(
    _ id: MessageID, in topic: Topic, since time: Timestamp?
  ) throws(BusError) -> EnvelopeLine? {
    let reading = LogTopic(
      topic, shared, LogStart(time: time), FileReporter(onWarning: nil))
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
