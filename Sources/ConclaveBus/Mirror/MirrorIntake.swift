import Glibc
import SharedRing

/// What the mirror has read of the ring and not written yet, sorted by topic.
@safe
struct MirrorIntake: ~Copyable {
  private let bus: FileBus
  /// Added to a position in the ring: its place in the log.
  let base: UInt64
  /// The log had not come further when this mirror took over.
  private let limit: UInt64
  private var table: LaneTable
  private var topics: [MirrorTopic] = []
  /// Theirs, without counting references for each message.
  private var lines: [UnsafeMutablePointer<MirrorLines>] = unsafe []
  private var indices: [Topic: Int] = [:]
  /// Those with something at hand.
  private var filled: [MirrorTopic] = []
  private(set) var bytes = 0
  /// How many messages there were since the last sync whose publishers wait for the disk.
  private(set) var syncRequests = 0
  /// Records that no publisher wrote.
  private(set) var damaged: UInt64 = 0

  init(bus: FileBus, base: UInt64, frontier: UInt64, laneCount: Int) {
    self.bus = bus
    self.base = base
    limit = base.addingSaturating(frontier)
    table = LaneTable(laneCount: laneCount, prefix: .all)
  }

  /// Makes a line of a record.
  mutating func add(_ place: RingPlace, _ body: RawSpan) {
    guard let head = RecordHead.read(body) else {
      damaged += 1
      return
    }
    unsafe body.withUnsafeBytes { bytes in
      let names = unsafe UnsafeRawBufferPointer(
        rebasing: bytes[RecordHead.fixedBytes..<RecordHead.fixedBytes + head.namesLength])
      guard let start = names.baseAddress else { return }
      let entry = unsafe table.entry(
        lane: place.lane, incarnation: place.incarnation, head, names: start)
      guard unsafe entry.pointee.isWanted else {
        damaged += 1
        return
      }
      if unsafe entry.pointee.tag < 0 {
        let topic = unsafe UnsafeRawBufferPointer(rebasing: names[..<head.topicLength])
        unsafe entry.pointee.tag = index(of: unsafe String(decoding: topic, as: UTF8.self))
      }
      let position = base &+ place.position
      let view = unsafe EnvelopeView(
        unsafeNames: names, topicLength: head.topicLength, senderLength: head.senderLength,
        keyLength: head.keyLength,
        id: MessageID(process: head.process, counter: head.counter), seq: head.seq,
        timestamp: Timestamp(nanosecondsSinceEpoch: head.timestamp),
        incarnation: place.incarnation, position: position)
      let payload = unsafe UnsafeRawBufferPointer(rebasing: bytes[head.payloadOffset...])
      unsafe add(view, payload.bytes, position, to: entry.pointee.tag)
      if head.wantsSync { syncRequests += 1 }
    }
  }

  @inline(__always)
  private mutating func add(
    _ view: borrowing EnvelopeView, _ payload: RawSpan, _ position: UInt64, to index: Int
  ) {
    let own = unsafe lines[index]
    if unsafe own.pointee.isEmpty { filled.append(topics[index]) }
    let before = unsafe own.pointee.batch.count
    unsafe own.pointee.add(view, payload: payload, position: position)
    unsafe bytes += own.pointee.batch.count - before
  }

  /// Names that are seen for the first time were checked by the table.
  private mutating func index(of name: String) -> Int {
    let topic = Topic(checked: name)
    if let known = indices[topic] { return known }
    let added = MirrorTopic(bus.appender(for: topic))
    topics.append(added)
    unsafe lines.append(added.lines)
    indices[topic] = topics.count - 1
    return topics.count - 1
  }

  /// Appends what is at hand to the files.
  ///
  /// - Parameter written: is added what was appended.
  /// - Throws: why not everything was; what was not is still at hand.
  mutating func write(adding written: inout MirrorCount) throws(BusError) {
    while let topic = filled.last {
      try topic.write(adding: &written, below: limit)
      filled.removeLast()
    }
    bytes = 0
  }

  /// Gives up what is at hand.
  mutating func discard() {
    for topic in filled { topic.discard() }
    filled = []
    bytes = 0
  }

  /// Forces what was written to the disk: every file, also after one has failed.
  ///
  /// - Parameter floor: the place from which on a mirror before this one may have written without a
  ///   sync; nil when there was none, or this has been done.
  mutating func synchronize(from floor: UInt64?) throws(BusError) {
    syncRequests = 0
    var first: BusError?
    if let floor {
      do throws(BusError) { try syncFiles(from: floor) } catch { first = error }
    }
    for topic in topics {
      do throws(BusError) { try topic.synchronize() } catch {
        first = first ?? error
        topic.renew()
      }
    }
    if let first { throw first }
  }

  /// Every file that has messages from this place on, whoever wrote them. (A descriptor that is
  /// only read from will do: fdatasync(2) is about the file.)
  private func syncFiles(from floor: UInt64) throws(BusError) {
    let directory = bus.shared.directory
    for (topic, files) in try TopicHistory(in: directory).topics {
      let names =
        [TopicFileName(topic)]
        + files.rotated.reversed().map {
          TopicFileName(topic, number: $0)
        }
      for name in names {
        guard let last = try TopicFile.lastPosition(in: name, directory) else { continue }
        if last < floor { break }
        let file = try TopicFile.open(name.text, in: directory, flags: O_RDONLY).descriptor
        if fdatasync(file.number) != 0 { throw .system("force to the disk", name.text) }
      }
    }
    if fsync(directory.number) != 0 { throw .system("force to the disk", bus.shared.path) }
  }
}
