/// What a subscriber knows of the streams that it has seen, by lane and stream number: whether it
/// wants them, and the last number that is accounted for.
///
/// Looked up once per message, so entries lie in plain memory. Names that another process wrote are
/// checked when they are first seen and compared from then on.
@safe
struct LaneTable: ~Copyable, Sendable {
  @safe
  struct Entry {
    var incarnation: UInt64 = 0
    /// The last number that was delivered, reported lost, or published before the subscription
    /// began.
    var last: UInt64 = 0
    /// Whether `last` means anything.
    var isKnown = false
    /// Whether topic and sender are well-formed, and the subscription's prefix matches.
    var isWanted = false
    /// What the table's owner notes of the stream; -1 when it is first seen.
    var tag = -1
    fileprivate var process: UInt32 = 0
    /// Of topic and sender, as ``RecordHead/Fields/nameLengths``.
    fileprivate var lengths: UInt16 = 0
    /// Topic and sender behind each other.
    fileprivate var names: UnsafeMutableRawPointer?

    /// Topic and sender as they were checked: what lies in the ring may be something else by now.
    var stream: UnsafeRawBufferPointer {
      unsafe UnsafeRawBufferPointer(start: names, count: Int(lengths & 0xFF) + Int(lengths >> 8))
    }
    var topic: UnsafeRawBufferPointer {
      unsafe UnsafeRawBufferPointer(start: names, count: Int(lengths & 0xFF))
    }
    var sender: UnsafeRawBufferPointer {
      unsafe UnsafeRawBufferPointer(rebasing: stream[topic.count...])
    }
  }

  @safe
  private struct Lane {
    var entries: UnsafeMutablePointer<Entry>?
    var capacity = 0
  }

  /// Owned by this value alone; what changes it is `mutating`, so the compiler keeps it to one
  /// thread at a time. Likewise `unnumbered`.
  private nonisolated(unsafe) let lanes: UnsafeMutableBufferPointer<Lane>
  /// Those that share the number `RecordHead.unnumbered`, by lane and names.
  private nonisolated(unsafe) var unnumbered: [[UInt8]: UnsafeMutablePointer<Entry>] = unsafe [:]
  private let prefix: TopicPrefix

  init(laneCount: Int, prefix: TopicPrefix) {
    unsafe lanes = .allocate(capacity: laneCount)
    unsafe lanes.initialize(repeating: Lane())
    self.prefix = prefix
  }

  deinit {
    for lane in unsafe 0..<lanes.count {
      for index in unsafe 0..<lanes[lane].capacity {
        unsafe lanes[lane].entries?[index].names?.deallocate()
      }
      unsafe lanes[lane].entries?.deallocate()
    }
    unsafe unnumbered.forEach { _, entry in
      unsafe entry.pointee.names?.deallocate()
      unsafe entry.deallocate()
    }
    unsafe lanes.deallocate()
  }

  /// The entry of a record's stream, made anew when the lane's holder or the names are not those
  /// seen before. `names` begins with topic and sender. Valid until the next call. O(1) but for the
  /// first sight of a stream.
  @inline(__always)
  mutating func entry(
    lane: Int, incarnation: UInt64, _ head: RecordHead.Fields, names: UnsafeRawPointer
  ) -> UnsafeMutablePointer<Entry> {
    let entry = unsafe slot(lane: lane, head, names: names)
    if unsafe entry.pointee.incarnation == incarnation,
      unsafe entry.pointee.lengths == head.nameLengths,
      let known = unsafe entry.pointee.names,
      unsafe LaneTable.same(known, names, head.topicLength + head.senderLength)
    {
      return unsafe entry
    }
    unsafe remember(entry, incarnation: incarnation, head, names: names)
    return unsafe entry
  }

  /// The entry of a numbered stream if it was seen with this incarnation.
  func known(lane: Int, incarnation: UInt64, number: Int) -> UnsafeMutablePointer<Entry>? {
    guard unsafe lane < lanes.count, unsafe number < lanes[lane].capacity,
      let entries = unsafe lanes[lane].entries,
      unsafe entries[number].incarnation == incarnation, unsafe entries[number].isKnown
    else { return nil }
    return unsafe entries + number
  }

  /// Calls `body` with every wanted stream of which something was seen, and its entry.
  mutating func forEachKnown(_ body: (SequenceTracker.Stream, inout Entry) -> Void) {
    func visit(_ entry: UnsafeMutablePointer<Entry>) {
      guard unsafe entry.pointee.isKnown, unsafe entry.pointee.isWanted else { return }
      let stream = unsafe SequenceTracker.Stream(
        process: entry.pointee.process, incarnation: entry.pointee.incarnation,
        sender: entry.pointee.sender, topic: entry.pointee.topic)
      unsafe body(stream, &entry.pointee)
    }
    for lane in unsafe 0..<lanes.count {
      guard let entries = unsafe lanes[lane].entries else { continue }
      for index in unsafe 0..<lanes[lane].capacity { unsafe visit(entries + index) }
    }
    unsafe unnumbered.values.forEach { unsafe visit($0) }
  }

  /// Whether two names are the same, by words: both lie in memory that goes on to a multiple of 8.
  @inline(__always)
  private static func same(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ length: Int) -> Bool {
    var offset = 0
    while length - offset >= 8 {
      let left = unsafe a.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      guard unsafe left == b.loadUnaligned(fromByteOffset: offset, as: UInt64.self) else {
        return false
      }
      offset += 8
    }
    guard offset < length else { return true }
    let rest =
      unsafe a.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      ^ b.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    return rest << UInt64(64 - (length - offset) * 8) == 0
  }

  @inline(__always)
  private mutating func slot(
    lane: Int, _ head: RecordHead.Fields, names: UnsafeRawPointer
  ) -> UnsafeMutablePointer<Entry> {
    let number = Int(head.streamNumber)
    if unsafe number < lanes[lane].capacity, let entries = unsafe lanes[lane].entries {
      return unsafe entries + number
    }
    return unsafe makeSlot(lane: lane, head, names: names)
  }

  private mutating func makeSlot(
    lane: Int, _ head: RecordHead.Fields, names: UnsafeRawPointer
  ) -> UnsafeMutablePointer<Entry> {
    let number = Int(head.streamNumber)
    guard number < RecordHead.unnumbered else {
      let bytes = unsafe UnsafeRawBufferPointer(
        start: names, count: head.topicLength + head.senderLength)
      let key = unsafe [UInt8(truncatingIfNeeded: lane), UInt8(head.topicLength)] + Array(bytes)
      if let entry = unsafe unnumbered[key] { return unsafe entry }
      let entry = UnsafeMutablePointer<Entry>.allocate(capacity: 1)
      unsafe entry.initialize(to: Entry())
      unsafe unnumbered[key] = entry
      return unsafe entry
    }
    return unsafe grow(lane: lane, toHold: number) + number
  }

  private mutating func grow(lane: Int, toHold number: Int) -> UnsafeMutablePointer<Entry> {
    let old = unsafe lanes[lane]
    var capacity = max(8, old.capacity)
    while capacity <= number { capacity *= 2 }
    let entries = UnsafeMutablePointer<Entry>.allocate(capacity: capacity)
    if let before = unsafe old.entries {
      unsafe entries.moveInitialize(from: before, count: old.capacity)
      unsafe before.deallocate()
    }
    unsafe (entries + old.capacity).initialize(
      repeating: Entry(), count: capacity - old.capacity)
    unsafe lanes[lane] = Lane(entries: entries, capacity: capacity)
    return unsafe entries
  }

  private func remember(
    _ entry: UnsafeMutablePointer<Entry>, incarnation: UInt64, _ head: RecordHead.Fields,
    names: UnsafeRawPointer
  ) {
    let length = head.topicLength + head.senderLength
    unsafe entry.pointee.names?.deallocate()
    // Eight more, so that comparing by words never reads past the end.
    let copy = UnsafeMutableRawPointer.allocate(byteCount: length + 8, alignment: 8)
    unsafe copy.initializeMemory(as: UInt8.self, repeating: 0, count: length + 8)
    unsafe copy.copyMemory(from: names, byteCount: length)
    unsafe entry.pointee = Entry(
      incarnation: incarnation, last: 0, isKnown: false, isWanted: false, process: head.process,
      lengths: head.nameLengths, names: copy)
    let (topic, sender) = unsafe (entry.pointee.topic, entry.pointee.sender)
    unsafe entry.pointee.isWanted =
      Topic.isWellFormed(topic) && Message.isWellFormedName(sender) && prefix.matches(bytes: topic)
  }
}
