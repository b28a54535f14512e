/// An envelope that is lent, not copied: its names and payload lie in the transport's memory and
/// are gone when the closure that received it returns. Reading it allocates nothing;
/// ``envelope(payload:)`` makes the copy that may be kept.
@safe
public struct EnvelopeView: ~Copyable {
  public let id: MessageID
  public let seq: UInt64
  public let timestamp: Timestamp
  public let incarnation: UInt64
  public let position: UInt64?

  /// Topic and sender behind each other, without separators: the same for all of a stream.
  @usableFromInline
  let stream: UnsafeRawBufferPointer
  @usableFromInline
  let topicLength: Int
  /// Type and idempotency key likewise.
  @usableFromInline
  let rest: UnsafeRawBufferPointer
  /// 0 without a key, which is never empty.
  @usableFromInline
  let keyLength: Int

  /// For transports. `names` are topic, sender, type and key behind each other. They must stay
  /// valid and unchanged while this view lives, the first `topicLength` bytes must be a well-formed
  /// topic.
  public init(
    unsafeNames names: UnsafeRawBufferPointer, topicLength: Int, senderLength: Int,
    keyLength: Int = 0, id: MessageID, seq: UInt64, timestamp: Timestamp, incarnation: UInt64,
    position: UInt64?
  ) {
    precondition(topicLength >= 0 && senderLength >= 0 && keyLength >= 0)
    precondition(topicLength + senderLength + keyLength <= names.count)
    let streamLength = topicLength + senderLength
    unsafe self.init(
      unsafeStream: UnsafeRawBufferPointer(rebasing: names[..<streamLength]),
      topicLength: topicLength, rest: UnsafeRawBufferPointer(rebasing: names[streamLength...]),
      keyLength: keyLength, id: id, seq: seq, timestamp: timestamp, incarnation: incarnation,
      position: position)
  }

  /// Likewise with `stream`, topic and sender, apart from `rest`, type and key: what was checked
  /// once for all messages of a stream lies elsewhere than what each of them brings. Whoever may
  /// write into the transport's memory may change `rest` at any time.
  @inline(__always)
  init(
    unsafeStream stream: UnsafeRawBufferPointer, topicLength: Int, rest: UnsafeRawBufferPointer,
    keyLength: Int, id: MessageID, seq: UInt64, timestamp: Timestamp, incarnation: UInt64,
    position: UInt64?
  ) {
    unsafe self.stream = stream
    self.topicLength = topicLength
    unsafe self.rest = rest
    self.keyLength = keyLength
    self.id = id
    self.seq = seq
    self.timestamp = timestamp
    self.incarnation = incarnation
    self.position = position
  }

  /// Lends the topic's bytes.
  @inlinable
  public func withTopic<R>(_ body: (RawSpan) -> R) -> R {
    unsafe lend(topicBytes, body)
  }
  /// Lends the sender's bytes.
  @inlinable
  public func withSender<R>(_ body: (RawSpan) -> R) -> R {
    unsafe lend(senderBytes, body)
  }
  /// Lends the type's bytes.
  @inlinable
  public func withType<R>(_ body: (RawSpan) -> R) -> R {
    unsafe lend(typeBytes, body)
  }

  public var topic: Topic { unsafe Topic(checked: text(topicBytes)) }
  public var sender: String { unsafe text(senderBytes) }
  public var type: String { unsafe text(typeBytes) }
  /// The key with which it was published once, if it has one that is well-formed.
  public var idempotencyKey: IdempotencyKey? {
    guard keyLength > 0 else { return nil }
    return unsafe try? IdempotencyKey(text(keyBytes))
  }

  /// A copy that outlives the loan. `payload` is the span that was lent beside this view.
  public func envelope(payload: RawSpan) -> Envelope {
    Envelope(
      id: id, seq: seq, timestamp: timestamp, sender: sender, topic: topic, type: type,
      payload: RawJSON(validated: unsafe payload.withUnsafeBytes { unsafe Array($0) }),
      incarnation: incarnation, position: position, idempotencyKey: idempotencyKey)
  }

  /// The names' bytes, for as long as this view lives.
  @inlinable
  var topicBytes: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(rebasing: stream[..<topicLength])
  }
  @inlinable
  var senderBytes: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(rebasing: stream[topicLength...])
  }
  @inlinable
  var typeBytes: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(rebasing: rest[..<(rest.count - keyLength)])
  }
  /// The key's bytes; none where there is no key.
  var keyBytes: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(rebasing: rest[(rest.count - keyLength)...])
  }
  /// The length of all three names and the key together.
  var namesLength: Int { unsafe stream.count + rest.count }

  @inlinable
  func lend<R>(_ bytes: UnsafeRawBufferPointer, _ body: (RawSpan) -> R) -> R {
    unsafe body(bytes.bytes)
  }

  /// Copied first: `String` looks whether bytes are UTF-8 and copies them afterwards, and what it
  /// holds must be what it has looked at.
  private func text(_ bytes: UnsafeRawBufferPointer) -> String {
    unsafe withUnsafeTemporaryAllocation(byteCount: bytes.count, alignment: 1) { copy in
      unsafe copy.copyMemory(from: bytes)
      return unsafe String(decoding: copy, as: UTF8.self)
    }
  }
}

extension Envelope {
  /// Lends this envelope as transports do that keep whole envelopes in memory. Allocates once.
  public func lend<R>(_ body: (borrowing EnvelopeView, RawSpan) -> R) -> R {
    var names = Array(topic.name.utf8)
    let topicLength = names.count
    names.append(contentsOf: sender.utf8)
    let senderLength = names.count - topicLength
    names.append(contentsOf: type.utf8)
    let keyLength = idempotencyKey?.text.utf8.count ?? 0
    if let idempotencyKey { names.append(contentsOf: idempotencyKey.text.utf8) }
    return unsafe names.withUnsafeBytes { bytes in
      let view = unsafe EnvelopeView(
        unsafeNames: bytes, topicLength: topicLength, senderLength: senderLength,
        keyLength: keyLength, id: id, seq: seq, timestamp: timestamp,
        incarnation: incarnation, position: position)
      return unsafe body(view, payload.bytes.span.bytes)
    }
  }
}
