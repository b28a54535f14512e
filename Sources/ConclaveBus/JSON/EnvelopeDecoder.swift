import Glibc

/// Turns lines of JSON into envelopes, lent or whole, with room that is used again for the next
/// line.
struct EnvelopeDecoder {
  /// Topic, sender and type of the line, decoded, behind each other.
  private var names: [UInt8] = []
  /// The payload, when it is not in the line as it was published.
  private var restored: [UInt8] = []

  /// Lends the envelope that `line` holds to `body`. Allocates nothing after the first lines.
  ///
  /// - Parameter topic: the topic that the envelope must have; nil for any.
  /// - Throws: the reason why the line is not an envelope.
  mutating func decode<R>(
    _ line: UnsafeRawBufferPointer, topic expected: [UInt8]? = nil,
    _ body: (borrowing EnvelopeView, RawSpan) -> R
  ) throws(EnvelopeFlaw) -> R {
    let parts = unsafe try EnvelopeLine(parsing: line)
    return unsafe try lend(parts, line, topic: expected, body)
  }

  /// Lends an envelope whose line was parsed before.
  mutating func lend<R>(
    _ parts: EnvelopeLine, _ line: UnsafeRawBufferPointer, topic expected: [UInt8]?,
    _ body: (borrowing EnvelopeView, RawSpan) -> R
  ) throws(EnvelopeFlaw) -> R {
    unsafe try decodeNames(parts, line, expected)
    let payload = unsafe try restorePayload(parts, line)
    let lengths = (nameLengths.topic, nameLengths.sender, nameLengths.key)
    return unsafe names.withUnsafeBytes { names in
      let view = unsafe EnvelopeView(
        unsafeNames: names, topicLength: lengths.0, senderLength: lengths.1,
        keyLength: lengths.2, id: parts.id, seq: parts.seq, timestamp: parts.timestamp,
        incarnation: parts.incarnation, position: parts.position)
      guard payload else {
        return unsafe body(view, UnsafeRawBufferPointer(rebasing: line[parts.payload]).bytes)
      }
      return unsafe body(view, restored.span.bytes)
    }
  }

  private var nameLengths = (topic: 0, sender: 0, key: 0)

  private mutating func decodeNames(
    _ parts: EnvelopeLine, _ line: UnsafeRawBufferPointer, _ expected: [UInt8]?
  ) throws(EnvelopeFlaw) {
    names.removeAll(keepingCapacity: true)
    unsafe append(parts.topic, of: line, escaped: parts.escapedKeys.contains(.topic))
    nameLengths.topic = names.count
    if let expected {
      guard names == expected else { throw EnvelopeFlaw("the topic belongs to another file") }
    } else {
      guard Topic.isWellFormed(names) else { throw EnvelopeFlaw("the topic is malformed") }
    }
    unsafe append(parts.sender, of: line, escaped: parts.escapedKeys.contains(.sender))
    nameLengths.sender = names.count - nameLengths.topic
    unsafe append(parts.type, of: line, escaped: parts.escapedKeys.contains(.type))
    let typeLength = names.count - nameLengths.topic - nameLengths.sender
    // A string without escapes has no control characters, or it would not have been parsed.
    guard max(nameLengths.sender, typeLength) <= Message.maximumNameLength,
      parts.escapedKeys.isEmpty || !names.contains(where: { $0 < 0x20 })
    else { throw EnvelopeFlaw("the sender or the type is malformed") }
    try unsafe decodeKey(parts, line)
  }

  private mutating func decodeKey(
    _ parts: EnvelopeLine, _ line: UnsafeRawBufferPointer
  ) throws(EnvelopeFlaw) {
    nameLengths.key = 0
    guard parts.keys.contains(.idempotencyKey) else { return }
    let start = names.count
    unsafe append(parts.key, of: line, escaped: parts.escapedKeys.contains(.idempotencyKey))
    nameLengths.key = names.count - start
    guard (1...IdempotencyKey.maximumLength).contains(nameLengths.key),
      !names[start...].contains(where: { $0 < 0x20 || $0 == 0x7F })
    else { throw EnvelopeFlaw("the idempotency key is malformed") }
  }

  private mutating func append(
    _ range: Range<Int>, of line: UnsafeRawBufferPointer, escaped: Bool
  ) {
    let text = unsafe UnsafeRawBufferPointer(rebasing: line[range])
    if escaped {
      JSONString.appendDecoded(unsafe Array(text), to: &names)
    } else {
      unsafe names.append(contentsOf: text)
    }
  }

  /// - Returns: whether the payload is in ``restored`` now, and not as it should be in the line.
  private mutating func restorePayload(
    _ parts: EnvelopeLine, _ line: UnsafeRawBufferPointer
  ) throws(EnvelopeFlaw) -> Bool {
    guard let newlines = parts.newlines else { return false }
    restored.removeAll(keepingCapacity: true)
    unsafe restored.append(contentsOf: line[parts.payload])
    var scanner = unsafe JSONScanner(unsafe: UnsafeRawBufferPointer(rebasing: line[newlines]))
    let flaw = EnvelopeFlaw("payloadNewlines does not fit the payload")
    guard scanner.skip(UInt8(ascii: "[")) else { throw flaw }
    scanner.skipWhiteSpace()
    if scanner.current != UInt8(ascii: "]") {
      var least = 0
      repeat {
        guard let place = nextNumber(&scanner), place >= least, place < restored.count,
          restored[place] == UInt8(ascii: " ")
        else { throw flaw }
        restored[place] = UInt8(ascii: "\n")
        least = place + 1
      } while scanner.skip(UInt8(ascii: ","))
    }
    // A place inside a string would make the payload something else than JSON.
    guard scanner.skip(UInt8(ascii: "]")),
      unsafe restored.withUnsafeBytes({ unsafe RawJSON.flaw(in: $0) }) == nil
    else { throw flaw }
    return true
  }

  private func nextNumber(_ scanner: inout JSONScanner) -> Int? {
    scanner.skipWhiteSpace()
    let start = scanner.position
    while let digit = scanner.current, digit &- UInt8(ascii: "0") <= 9 { scanner.position += 1 }
    let number = unsafe UInt64(decimal: scanner.slice(start..<scanner.position))
    scanner.skipWhiteSpace()
    return number.flatMap(Int.init(exactly:))
  }
}

extension Envelope {
  /// Reads the envelope that ``jsonLine()`` writes, or another writer: keys in any order, unknown
  /// keys ignored, a key that comes twice refused. O(n).
  ///
  /// - Throws: ``BusError/Code/corrupt`` with the reason why `jsonLine` is not an envelope.
  public init(jsonLine: RawSpan) throws(BusError) {
    let result = unsafe jsonLine.withUnsafeBytes { line -> Result<Envelope, EnvelopeFlaw> in
      var decoder = EnvelopeDecoder()
      do throws(EnvelopeFlaw) {
        return .success(
          unsafe try decoder.decode(line) { view, payload in view.envelope(payload: payload) })
      } catch { return .failure(error) }
    }
    switch result {
    case .success(let envelope): self = envelope
    case .failure(let flaw):
      throw BusError(
        .corrupt, "the line is not an envelope: \(flaw)",
        hint: "an envelope has the keys id, seq, timestamp, sender, topic, type and payload")
    }
  }
}
