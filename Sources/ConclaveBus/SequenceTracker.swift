import Glibc

/// Finds out from the numbers of the messages that arrive which are missing.
///
/// Each stream (process, incarnation, sender, topic) counts by itself. The first message of a
/// stream that is seen sets where counting begins, unless ``newFrom`` says that the stream is new;
/// a 1 begins anew, and a number that was passed already changes nothing. Streams without an
/// incarnation come from foreign writers, whose numbers have holes by nature: they are not tracked.
/// One that was not heard of for long is forgotten, so memory is bounded.
///
/// O(1) and no allocation per message, except for a stream's first.
struct SequenceTracker {
  /// What identifies a stream; the names are only read during the call.
  @safe
  struct Stream {
    var process: UInt32
    var incarnation: UInt64
    var sender: UnsafeRawBufferPointer
    var topic: UnsafeRawBufferPointer
  }

  /// Streams to remember at least; twice as many at most.
  private let capacity: Int
  private var recent = StreamTable()
  private var older = StreamTable()
  /// Whether one that is not known may be one that was forgotten.
  private(set) var hasForgotten = false

  /// Streams of this incarnation or a later one are new, and so begin with 1.
  var newFrom: UInt64 = .max

  init(capacity: Int = 1 << 16) { self.capacity = capacity }

  /// Call with each message before it is delivered.
  ///
  /// - Parameter isWhole: whether this is to know the stream from its number 1 on.
  /// - Returns: the numbers that are missing before it, once; a second call with the same message
  ///   finds nothing missing.
  mutating func missing(
    before seq: UInt64, in stream: Stream, isWhole: Bool = false
  ) -> ClosedRange<UInt64>? {
    guard stream.incarnation != 0 else { return nil }
    let hash = StreamTable.hash(stream)
    guard let index = recent.find(stream, hash) else {
      begin(stream, hash, seq, isWhole: isWhole)
      return missing(before: seq, in: stream)
    }
    let expected = recent.next(index)
    if seq == 1 || seq == expected {
      recent.setNext(index, seq)
      return nil
    }
    guard seq > expected else { return nil }
    recent.setNext(index, seq)
    return expected...seq - 1
  }

  /// Call with each message that was delivered.
  mutating func delivered(_ seq: UInt64, in stream: Stream) {
    guard stream.incarnation != 0 else { return }
    guard let index = recent.find(stream, StreamTable.hash(stream)) else { return }
    if recent.next(index) == seq { recent.setNext(index, seq.addingSaturating(1)) }
  }

  /// The number that the stream's next message should have; nil when nobody knows.
  func expected(in stream: Stream) -> UInt64? {
    let hash = StreamTable.hash(stream)
    if let index = recent.find(stream, hash) { return recent.next(index) }
    return older.find(stream, hash).map { older.next($0) }
  }

  /// The stream has been delivered elsewhere, up to the number before `next`.
  mutating func expect(_ next: UInt64, in stream: Stream) {
    guard stream.incarnation != 0 else { return }
    let hash = StreamTable.hash(stream)
    if recent.find(stream, hash) == nil { begin(stream, hash, next) }
    if let index = recent.find(stream, hash) { recent.setNext(index, next) }
  }

  private mutating func begin(
    _ stream: Stream, _ hash: UInt64, _ seq: UInt64, isWhole: Bool = false
  ) {
    let known = older.find(stream, hash).map { older.next($0) }
    if recent.count >= capacity {
      hasForgotten = hasForgotten || older.count > 0
      older = recent
      recent = StreamTable()
    }
    let isNew = !hasForgotten && (isWhole || stream.incarnation >= newFrom)
    recent.insert(stream, hash, next: known ?? (isNew ? 1 : seq))
  }
}

/// A hash table of streams and the number that each will have next. Open addressing, names in one
/// array.
private struct StreamTable {
  private struct Entry {
    var hash: UInt64
    var process: UInt32
    var incarnation: UInt64
    /// Where sender and topic lie in ``names``.
    var names: Int
    var senderLength: UInt16
    var topicLength: UInt16
    var next: UInt64
  }

  private var entries: [Entry] = []
  /// Indices into ``entries``, -1 where there is none. A power of two, at most half full.
  private var slots = [Int32](repeating: -1, count: 16)
  private var names: [UInt8] = []

  var count: Int { entries.count }

  func next(_ index: Int) -> UInt64 { entries[index].next }

  mutating func setNext(_ index: Int, _ next: UInt64) { entries[index].next = next }

  static func hash(_ stream: SequenceTracker.Stream) -> UInt64 {
    var hash = mix(UInt64(stream.process) &+ 0x9E37_79B9_7F4A_7C15, stream.incarnation)
    unsafe hash = mix(hash, stream.sender)
    return unsafe mix(hash, stream.topic)
  }

  private static func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
    let product = (hash ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
    return product.high ^ product.low
  }

  private static func mix(_ hash: UInt64, _ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hash = mix(hash, UInt64(bytes.count))
    var index = 0
    while index &+ 8 <= bytes.count {
      hash = mix(hash, unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
      index &+= 8
    }
    var rest: UInt64 = 0
    while index < bytes.count {
      rest = rest << 8 | UInt64(unsafe bytes[index])
      index &+= 1
    }
    return mix(hash, rest)
  }

  func find(_ stream: SequenceTracker.Stream, _ hash: UInt64) -> Int? {
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] >= 0 {
      let index = Int(slots[slot])
      if entries[index].hash == hash, matches(entries[index], stream) { return index }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  private func matches(_ entry: Entry, _ stream: SequenceTracker.Stream) -> Bool {
    guard entry.process == stream.process, entry.incarnation == stream.incarnation,
      Int(entry.senderLength) == (unsafe stream.sender.count),
      Int(entry.topicLength) == (unsafe stream.topic.count)
    else { return false }
    return unsafe names.withUnsafeBytes { names in
      let start = unsafe names.baseAddress.unsafelyUnwrapped + entry.names
      guard unsafe StreamTable.equal(start, stream.sender) else { return false }
      return unsafe StreamTable.equal(start + Int(entry.senderLength), stream.topic)
    }
  }

  private static func equal(_ start: UnsafeRawPointer, _ name: UnsafeRawBufferPointer) -> Bool {
    guard let base = name.baseAddress else { return true }
    return unsafe memcmp(start, base, name.count) == 0
  }

  mutating func insert(_ stream: SequenceTracker.Stream, _ hash: UInt64, next: UInt64) {
    entries.append(
      Entry(
        hash: hash, process: stream.process, incarnation: stream.incarnation, names: names.count,
        senderLength: UInt16(unsafe stream.sender.count),
        topicLength: UInt16(unsafe stream.topic.count), next: next))
    unsafe names.append(contentsOf: stream.sender)
    unsafe names.append(contentsOf: stream.topic)
    if entries.count * 2 > slots.count {
      slots = [Int32](repeating: -1, count: slots.count * 2)
      for index in entries.indices { place(index) }
    } else {
      place(entries.count - 1)
    }
  }

  private mutating func place(_ index: Int) {
    var slot = Int(truncatingIfNeeded: entries[index].hash) & (slots.count - 1)
    while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = Int32(index)
  }
}
