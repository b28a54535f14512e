import Glibc

/// The lines of one append, behind each other in memory that is used again for the next.
@safe
struct LineBatch: ~Copyable, Sendable {
  /// What must be known of a line when it is written, and when it could not be.
  struct Line: Sendable {
    /// Where its timestamp lies in the batch; -1 when it has one already.
    var timestamp: Int
    /// Index behind its line feed.
    var end: Int
    /// Index of the sender's counter; -1 when it was numbered elsewhere.
    var sender: Int
  }

  private(set) var lines: [Line] = []
  private(set) var count = 0
  /// Owned by this value alone; what changes it is `mutating`, so the compiler keeps it to one
  /// thread at a time.
  private nonisolated(unsafe) var memory: UnsafeMutableRawBufferPointer
  /// Memory beyond this is given back after use.
  private static let keptCapacity = 1 << 20

  init() { unsafe memory = .allocate(byteCount: 4096, alignment: 1) }

  deinit { unsafe memory.deallocate() }

  /// Empties the batch.
  mutating func removeAll() {
    lines.removeAll(keepingCapacity: true)
    count = 0
    if unsafe memory.count > LineBatch.keptCapacity {
      unsafe memory.deallocate()
      unsafe memory = .allocate(byteCount: 4096, alignment: 1)
      lines = []
    }
  }

  /// Appends one line.
  ///
  /// - Returns: its length, its line feed included.
  mutating func append(
    _ template: EnvelopeTemplate, sender: Int, counter: UInt64, seq: UInt64,
    payload: UnsafeRawBufferPointer, key: String? = nil
  ) -> Int {
    guard var key else {
      return unsafe append(
        template, sender, counter, seq, payload, UnsafeRawBufferPointer(start: nil, count: 0))
    }
    return key.withUTF8 { key in
      unsafe append(template, sender, counter, seq, payload, UnsafeRawBufferPointer(key))
    }
  }

  @inline(__always)
  private mutating func append(
    _ template: EnvelopeTemplate, _ sender: Int, _ counter: UInt64, _ seq: UInt64,
    _ payload: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer
  ) -> Int {
    unsafe reserve(template.capacity(payload: payload, keyLength: key.count))
    let start = unsafe memory.baseAddress.unsafelyUnwrapped + count
    var cursor = unsafe LineCursor(unsafe: start, room: memory.count - count)
    let timestamp = unsafe template.write(
      counter: counter, seq: seq, timestamp: Timestamp(nanosecondsSinceEpoch: 0), payload: payload,
      key: key, to: &cursor)
    let length = unsafe cursor.place - start
    lines.append(Line(timestamp: count + timestamp, end: count + length, sender: sender))
    count += length
    return length
  }

  /// Appends the line of an envelope that has its number and its time already, as a mirror does.
  mutating func append(_ view: borrowing EnvelopeView, payload: RawSpan) {
    unsafe payload.withUnsafeBytes { payload in
      unsafe reserve(view.capacity(payload: payload) + 1)
      let start = unsafe memory.baseAddress.unsafelyUnwrapped + count
      var cursor = unsafe LineCursor(unsafe: start, room: memory.count - count)
      unsafe view.write(payload: payload, to: &cursor)
      cursor.byte(UInt8(ascii: "\n"))
      count += unsafe cursor.place - start
      lines.append(Line(timestamp: -1, end: count, sender: -1))
    }
  }

  /// Takes the first `number` lines out again.
  mutating func removeFirst(_ number: Int) {
    guard number < lines.count else { return removeAll() }
    guard number > 0 else { return }
    let length = lines[number - 1].end
    let base = unsafe memory.baseAddress.unsafelyUnwrapped
    unsafe memmove(base, base + length, count - length)
    count -= length
    lines.removeFirst(number)
    for index in lines.indices {
      lines[index].end -= length
      if lines[index].timestamp >= 0 { lines[index].timestamp -= length }
    }
  }

  /// Takes the line that was appended last out again.
  mutating func removeLast() {
    lines.removeLast()
    count = lines.last?.end ?? 0
  }

  /// Gives every line that has no time yet the time `now`.
  mutating func stamp(_ now: Timestamp) {
    for line in lines where line.timestamp >= 0 {
      unsafe now.write(to: memory.baseAddress.unsafelyUnwrapped + line.timestamp)
    }
  }

  /// The bytes of all lines, until the batch is changed.
  var bytes: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(rebasing: memory[..<count])
  }

  private mutating func reserve(_ more: Int) {
    guard count + more > (unsafe memory.count) else { return }
    let larger = unsafe UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(2 * memory.count, count + more), alignment: 1)
    unsafe larger.copyMemory(from: bytes)
    unsafe memory.deallocate()
    unsafe memory = unsafe larger
  }
}

extension LineBatch {
  /// How many of the lines lie wholly in the first `length` bytes, and how long they are together.
  func wholeLines(in length: Int) -> (count: Int, length: Int) {
    if length == count { return (lines.count, length) }
    let whole = lines.prefix { $0.end <= length }
    return (whole.count, whole.last?.end ?? 0)
  }
}
