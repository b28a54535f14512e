import SharedRing

/// What the mirror has read of the ring and not written yet, sorted by topic.
@safe
struct MirrorIntake: ~Copyable {
  let bus: FileBus
  /// Added to a position in the ring: its place in the log.
  let base: UInt64
  /// The log had not come further when this mirror took over.
  let limit: UInt64
  private var table: LaneTable
  private var topics: [MirrorTopic] = []
  /// Theirs, without counting references for each message.
  private var lines: [UnsafeMutablePointer<MirrorLines>] = unsafe []
  private var indices: [Topic: Int] = [:]
  /// Those with something at hand.
  private var filled: [MirrorTopic] = []
  /// Those that could not be written the last time, with something at hand or not.
  private(set) var failing: [MirrorTopic] = []
  /// Of the lines that were made since the last attempt to write.
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

  /// Makes a line of a record, unless the segment is cut off meanwhile: no zeros may get into the
  /// files.
  mutating func add(_ place: RingPlace, _ body: RawSpan, of ring: RingSubscriber) {
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
        let topic = unsafe String(decoding: entry.pointee.topic, as: UTF8.self)
        unsafe entry.pointee.tag = index(of: topic)
      }
      let position = base &+ place.position
      let stream = unsafe entry.pointee.stream
      let view = unsafe EnvelopeView(
        unsafeStream: stream, topicLength: head.topicLength,
        rest: UnsafeRawBufferPointer(
          start: start + stream.count, count: head.typeLength + head.keyLength),
        keyLength: head.keyLength,
        id: MessageID(process: head.process, counter: head.counter), seq: head.seq,
        timestamp: Timestamp(nanosecondsSinceEpoch: head.timestamp),
        incarnation: place.incarnation, position: position)
      let payload = unsafe UnsafeRawBufferPointer(rebasing: bytes[head.payloadOffset...])
      let isAdded = unsafe add(
        view, payload.bytes, position, to: entry.pointee.tag, mayBeGivenUp: head.mayBeGivenUp,
        of: ring)
      if isAdded, head.wantsSync { syncRequests += 1 }
    }
  }

  @inline(__always)
  private mutating func add(
    _ view: borrowing EnvelopeView, _ payload: RawSpan, _ position: UInt64, to index: Int,
    mayBeGivenUp: Bool, of ring: RingSubscriber
  ) -> Bool {
    let own = unsafe lines[index]
    let wasEmpty = unsafe own.pointee.isEmpty
    let before = unsafe own.pointee.batch.count
    let isAdded = unsafe own.pointee.add(
      view, payload: payload, position: position, mayBeGivenUp: mayBeGivenUp, unless: ring.isLost)
    guard isAdded else { return false }
    if wasEmpty { filled.append(topics[index]) }
    unsafe bytes += own.pointee.batch.count - before
    return true
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

  // MARK: Into the files

  /// Whether something is at hand that could not be written.
  var isHolding: Bool { !filled.isEmpty }
  /// Whether the publishers of all that is at hand let the mirror give it up.
  var mayBeGivenUp: Bool { filled.allSatisfy { $0.mayBeGivenUp } }

  /// Appends what is at hand to the files: of each topic what can be, whatever becomes of others.
  /// What cannot be stays at hand.
  ///
  /// - Parameters:
  ///   - written: is added what was appended.
  ///   - onFailure: is told why a topic fails, once that is trouble.
  mutating func write(adding written: inout MirrorCount, onFailure: (BusError) -> Void) {
    let limit = limit
    filled.removeAll { $0.settle(adding: &written, below: limit, onFailure: onFailure) }
    bytes = 0
    if filled.isEmpty, failing.isEmpty { return }
    for topic in failing where topic.isEmpty {
      _ = topic.settle(adding: &written, below: limit, onFailure: onFailure)
    }
    failing.removeAll { topic in
      topic.isListed = topic.failure.isFailing
      return !topic.isListed
    }
    for topic in filled where !topic.isListed { list(topic) }
  }

  private mutating func list(_ topic: MirrorTopic) {
    topic.isListed = true
    failing.append(topic)
  }

  /// Takes over what a mirror before this one has said: that it could not write this topic.
  mutating func inherit(_ reason: BusError.Code, _ topic: Topic) {
    let topic = topics[index(of: topic.name)]
    topic.inherit(reason)
    if !topic.isListed { list(topic) }
  }

  /// Gives up what is at hand.
  ///
  /// - Returns: its places in the log, rising.
  mutating func giveUp() -> [UInt64] {
    defer {
      filled = []
      bytes = 0
    }
    return filled.flatMap { $0.giveUp() }.sorted()
  }

  // MARK: Onto the disk

  /// Whether something was written and not forced to the disk since.
  var isDirty: Bool { topics.contains { $0.isDirty } }

  /// Forces what was written to the disk: every file, also after one has failed.
  ///
  /// - Returns: what may not be there.
  mutating func synchronize() -> MirrorUnsynced? {
    syncRequests = 0
    var failed: MirrorUnsynced?
    for topic in topics {
      if let unsynced = topic.synchronize() { failed = failed + unsynced }
    }
    return failed
  }
}
