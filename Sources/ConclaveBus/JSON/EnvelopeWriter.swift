import Glibc

// An envelope in JSON, always one line:
//
//   {"id":"7-1","seq":1,"timestamp":"...","sender":"a","topic":"t","type":"x","payload":{},
//    "incarnation":3,"position":4,"idempotencyKey":"k","payloadNewlines":[0,9]}
//
// incarnation is there unless it is 0, position where the transport has one, idempotencyKey where
// the publisher gave one. A payload may hold
// line feeds between its tokens, but not the line: each is written as a space, and payloadNewlines
// says at which bytes of the payload, so that it arrives byte for byte. Where it is there, even
// empty, the payload is everything between the colon and the comma; where it is not, white space
// there means nothing.

extension LineCursor {
  /// The most that ``beginEnvelope(process:counter:seq:timestamp:)`` writes.
  static let envelopeBeginning = 128

  /// Everything before `,"sender"`.
  ///
  /// - Returns: how far behind the beginning the timestamp lies, ``Timestamp/textLength`` bytes.
  @inline(__always)
  mutating func beginEnvelope(
    process: UInt32, counter: UInt64, seq: UInt64, timestamp: Timestamp
  ) -> Int {
    let start = unsafe place
    literal(#"{"id":""#)
    number(UInt64(process))
    byte(UInt8(ascii: "-"))
    number(counter)
    literal(#"","seq":"#)
    number(seq)
    literal(#","timestamp":""#)
    let offset = unsafe place - start
    self.timestamp(timestamp)
    byte(UInt8(ascii: "\""))
    return offset
  }

  /// The most that ``names(sender:topic:type:)`` writes for names of `length` bytes in all.
  static func namesCapacity(_ length: Int) -> Int { 64 + 6 * length }

  /// From `,"sender"` to the colon before the payload.
  mutating func names(
    sender: UnsafeRawBufferPointer, topic: UnsafeRawBufferPointer, type: UnsafeRawBufferPointer
  ) {
    literal(#","sender":"#)
    unsafe string(sender)
    literal(#","topic":"#)
    unsafe string(topic)
    literal(#","type":"#)
    unsafe string(type)
    literal(#","payload":"#)
  }

  /// The most that ``endEnvelope(payload:incarnation:position:key:)`` writes without a key.
  static func endingCapacity(payload: UnsafeRawBufferPointer) -> Int {
    let ending = 128 + payload.count
    guard unsafe firstNewline(in: payload, from: 0) != nil else { return ending }
    let digits = decimalWidth(UInt64(payload.count))
    return ending + (unsafe payload.count { $0 == UInt8(ascii: "\n") }) * (digits + 1)
  }

  /// The payload and everything behind it, without a line feed at the end. `key` is empty where
  /// there is none.
  @inline(__always)
  mutating func endEnvelope(
    payload: UnsafeRawBufferPointer, incarnation: UInt64, position: UInt64?,
    key: UnsafeRawBufferPointer
  ) {
    // Where it lies others may change it: from here on only the copy counts.
    let copied = unsafe UnsafeMutableRawBufferPointer(start: place, count: payload.count)
    unsafe copy(payload)
    if incarnation != 0 {
      literal(#","incarnation":"#)
      number(incarnation)
    }
    if let position {
      literal(#","position":"#)
      number(position)
    }
    if key.count > 0 {
      literal(LineCursor.keyBeginning)
      unsafe string(key)
    }
    let text = UnsafeRawBufferPointer(copied)
    if let first = unsafe LineCursor.firstNewline(in: text, from: 0) {
      unsafe hideNewlines(of: copied, first: first)
    } else if unsafe LineCursor.isPadded(text) {
      literal(#","payloadNewlines":[]"#)
    }
    byte(UInt8(ascii: "}"))
  }

  /// What stands before the string that an idempotency key is.
  static let keyBeginning: StaticString = #","idempotencyKey":"#

  /// The most that an idempotency key of `length` bytes takes.
  static func keyCapacity(_ length: Int) -> Int { length == 0 ? 0 : 32 + 6 * length }

  /// Of more line feeds than there were when the room was measured, the last are not listed. That
  /// is somebody who writes into a record that is being read, and no line of it can be right.
  private mutating func hideNewlines(of payload: UnsafeMutableRawBufferPointer, first: Int) {
    literal(#","payloadNewlines":["#)
    var next: Int? = first
    while let offset = next {
      unsafe payload.storeBytes(of: UInt8(ascii: " "), toByteOffset: offset, as: UInt8.self)
      if room > LineCursor.decimalWidth(UInt64(offset)) + LineCursor.afterNewlines {
        if offset != first { byte(UInt8(ascii: ",")) }
        number(UInt64(offset))
      }
      next = unsafe LineCursor.firstNewline(
        in: UnsafeRawBufferPointer(payload), from: offset + 1)
    }
    byte(UInt8(ascii: "]"))
  }

  /// What is written around and behind each number there: `,`, and at the end `]}` and a line feed.
  private static let afterNewlines = 4

  /// Whether a payload begins or ends with white space, which must arrive as well.
  @inline(__always)
  private static func isPadded(_ payload: UnsafeRawBufferPointer) -> Bool {
    guard let last = unsafe payload.last else { return false }
    let first = unsafe payload[0]
    return first <= 0x20 || last <= 0x20
  }

  /// Index of the first line feed from `start` on. `memchr` looks at 32 bytes at a time.
  @inline(__always)
  static func firstNewline(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
    guard start < bytes.count, let base = bytes.baseAddress,
      let found = unsafe memchr(base + start, 0x0A, bytes.count - start)
    else { return nil }
    return unsafe UnsafeRawPointer(found) - base
  }
}

extension Envelope {
  /// This envelope as one line of JSON, without the line feed. O(n).
  public func jsonLine() -> [UInt8] {
    var line: [UInt8] = []
    appendJSON(to: &line)
    return line
  }

  /// Appends ``jsonLine()``. O(n); allocates only when `bytes` must grow.
  public func appendJSON(to bytes: inout [UInt8]) {
    lend { view, payload in view.appendJSON(payload: payload, to: &bytes) }
  }
}

extension EnvelopeView {
  /// Appends the envelope as one line of JSON, without the line feed. `payload` is the span that
  /// was lent beside this view.
  public func appendJSON(payload: RawSpan, to bytes: inout [UInt8]) {
    unsafe payload.withUnsafeBytes { payload in
      let capacity = unsafe capacity(payload: payload)
      unsafe withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 1) { memory in
        guard let start = memory.baseAddress else { return }
        var cursor = unsafe LineCursor(unsafe: start, room: capacity)
        unsafe write(payload: payload, to: &cursor)
        let line = unsafe UnsafeRawBufferPointer(start: start, count: cursor.place - start)
        unsafe bytes.append(contentsOf: line)
      }
    }
  }

  /// The most that ``write(payload:to:)`` writes.
  func capacity(payload: UnsafeRawBufferPointer) -> Int {
    LineCursor.envelopeBeginning + LineCursor.namesCapacity(namesLength)
      + LineCursor.keyCapacity(keyLength) + (unsafe LineCursor.endingCapacity(payload: payload))
  }

  /// Writes the envelope as one line of JSON, without the line feed.
  func write(payload: UnsafeRawBufferPointer, to cursor: inout LineCursor) {
    _ = cursor.beginEnvelope(
      process: id.process, counter: id.counter, seq: seq, timestamp: timestamp)
    unsafe cursor.names(sender: senderBytes, topic: topicBytes, type: typeBytes)
    unsafe cursor.endEnvelope(
      payload: payload, incarnation: incarnation, position: position, key: keyBytes)
  }
}

/// What all envelopes of one stream have in common, rendered once.
struct EnvelopeTemplate: Sendable {
  let process: UInt32
  let incarnation: UInt64
  /// From `,"sender"` to the colon before the payload.
  private let names: [UInt8]

  init(process: UInt32, incarnation: UInt64, sender: String, topic: Topic, type: String) {
    self.process = process
    self.incarnation = incarnation
    var names = Array(#","sender":"#.utf8)
    JSONString.append(sender, to: &names)
    names.append(contentsOf: #","topic":"#.utf8)
    JSONString.append(topic.name, to: &names)
    names.append(contentsOf: #","type":"#.utf8)
    JSONString.append(type, to: &names)
    names.append(contentsOf: #","payload":"#.utf8)
    self.names = names
  }

  /// Room for one line with `payload`, its line feed included.
  func capacity(payload: UnsafeRawBufferPointer, keyLength: Int) -> Int {
    LineCursor.envelopeBeginning + names.count + 1 + LineCursor.keyCapacity(keyLength)
      + (unsafe LineCursor.endingCapacity(payload: payload))
  }

  /// Writes one line and its line feed. `key` is empty where there is none.
  ///
  /// - Returns: how far behind the line's beginning its timestamp lies.
  @inline(__always)
  func write(
    counter: UInt64, seq: UInt64, timestamp: Timestamp, payload: UnsafeRawBufferPointer,
    key: UnsafeRawBufferPointer, to cursor: inout LineCursor
  ) -> Int {
    let offset = cursor.beginEnvelope(
      process: process, counter: counter, seq: seq, timestamp: timestamp)
    cursor.copy(names)
    unsafe cursor.endEnvelope(payload: payload, incarnation: incarnation, position: nil, key: key)
    cursor.byte(UInt8(ascii: "\n"))
    return offset
  }
}
