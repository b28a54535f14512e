import CShim
import SharedRing

/// The log that a durable subscription reads: what it must know of it beside the messages. Lives as
/// long as the subscription that lends it.
struct DurableLog {
  let shared: FileBusShared
  let board: RingMirrorBoard
  /// For who begins.
  let ring: RingSearch
  let generation: String
  /// The place in the log of the segment's first position.
  let base: UInt64
  /// Where the log ended when the subscription began.
  let end: UInt64

  /// - Parameter patience: nanoseconds. Who has just become the mirror has not said yet where the
  ///   log begins.
  /// - Throws: `notFound` when nobody has ever mirrored the segment: it has no log.
  init(
    _ shared: FileBusShared, _ ring: RingSubscriber, _ board: RingMirrorBoard, patience: UInt64
  ) throws(BusError) {
    let deadline = conclave_monotonic_ns() + patience
    while board.progress.base == nil, conclave_monotonic_ns() < deadline {
      conclave_pace_until(conclave_monotonic_ns() + 1_000_000)
    }
    guard let base = board.progress.base else {
      throw BusError(
        .notFound, "nobody mirrors this bus, so there is no log to remember a place in",
        hint: "open it with MirrorOptions.isCandidate in one process at least")
    }
    self.shared = shared
    self.board = board
    self.ring = RingSearch(ring: ring, board: board)
    generation = ring.generation.description
    self.base = base
    end = base &+ ring.frontier
  }

  /// What lies before this place is in the files, if it is anywhere.
  var mirrored: UInt64 { base &+ board.mirrored }

  /// The place where a name begins that nobody has used before.
  ///
  /// - Throws: `notFound` for a message that is nowhere; `unsupported` for one without a place.
  func first(
    _ start: SubscriptionOptions.Start, _ prefix: TopicPrefix
  ) throws(BusError) -> UInt64 {
    switch start {
    case .now: return end
    case .beginning: return 0
    case .after(let id):
      switch try LogSearch(shared: shared, ring: ring).start(behind: id, prefix: prefix) {
      case .files(let start) where start.position > 0: return start.position
      case .files: break
      case .ring(let position): return base &+ position
      }
      throw BusError(
        .unsupported, "the message \(id) has no place in the log: a plain FileBus wrote it",
        hint: "begin behind another one, or at the beginning")
    case .since(let time):
      return try place(of: time, prefix)
    }
  }

  /// Of the first message with this time or later, in the files or in the ring. Where the ring has
  /// lost what the files did not have, that cannot be told, and it begins there.
  private func place(of time: Timestamp, _ prefix: TopicPrefix) throws(BusError) -> UInt64 {
    var place = end
    // As in LogSearch.
    for _ in 0..<LogSearch.attempts {
      let start = ring.start
      let inFiles = try placeInFiles(of: time, prefix)
      let answer = ring.find(since: time, prefix, from: start, upTo: end &- base)
      place = min(inFiles, base &+ (answer.lost ?? answer.found ?? end &- base))
      if answer.lost == nil { break }
    }
    return place
  }

  private func placeInFiles(
    of time: Timestamp, _ prefix: TopicPrefix
  ) throws(BusError) -> UInt64 {
    var place = end
    for topic in try TopicHistory(in: shared.directory).topics.keys where prefix.matches(topic) {
      let reading = LogTopic(
        topic, shared, LogStart(time: time, withForeign: false), FileReporter(onWarning: nil))
      do throws(BusError) {
        if try reading.advance(), let position = reading.tail?.head?.parts.position {
          place = min(place, position)
        }
      } catch {
        guard error.code == .incompatible || error.code == .permissionDenied else { throw error }
      }
    }
    return place
  }

  /// Reads messages again that are in the files.
  ///
  /// - Parameter positions: rising, all below ``mirrored``.
  /// - Returns: those that are still there. O(what lies between the first and the last).
  /// - Throws: `incompatible` when a file cannot be used: what is in it is not lost yet; `system`.
  func read(
    _ positions: [UInt64], _ prefix: TopicPrefix
  ) throws(BusError) -> [UInt64: Envelope] {
    guard let first = positions.first, let last = positions.last else { return [:] }
    let wanted = Set(positions)
    let refused = Lock<String?>(nil)
    let reporter = FileReporter { warning in
      if case .unusableFile(let file, let reason) = warning {
        refused.withLock { $0 = "\(quotedForError(file)) cannot be used: \(reason)" }
      }
    }
    let reader = LogReader(
      shared, prefix: prefix, start: LogStart(position: first, withForeign: false),
      tracker: SequenceTracker(), reporter: reporter)
    var found: [UInt64: Envelope] = [:]
    try reader.look(below: last.addingSaturating(1))
    while reader.hasBacklog {
      _ = try reader.deliver(below: last.addingSaturating(1), limit: 256) { _ in
      } onMessage: { view, payload in
        if let position = view.position, wanted.contains(position) {
          found[position] = view.envelope(payload: payload)
        }
      }
    }
    if found.count < wanted.count, let reason = refused.withLock({ $0 }) {
      throw BusError(
        .incompatible, "messages that come again cannot be read: \(reason)",
        hint: "put that right; nothing is lost, and they come then")
    }
    return found
  }
}
