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

  /// Topic, sender, type and idempotency key behind each other, without separators.
  @usableFromInline
  let names: UnsafeRawBufferPointer
  @usableFromInline
  let topicLength: Int
  @usableFromInline
  let senderLength: Int
  /// 0 without a key, which is never empty.
  @usableFromInline
  let keyLength: Int

  /// For transports. `names` must stay valid and unchanged while this view lives, its first
  /// `topicLength` bytes must be a well-formed topic, and its last `keyLength` a well-formed key.
  public init(
    unsafeNames names: UnsafeRawBufferPointer, topicLength: Int, senderLength: Int,
    keyLength: Int = 0, id: MessageID, seq: UInt64, timestamp: Timestamp, incarnation: UInt64,
    position: UInt64?
  ) {
    precondition(topicLength >= 0 && senderLength >= 0 && keyLength >= 0)
    precondition(topicLength + senderLength + keyLength <= names.count)
    unsafe self.names = names
    self.topicLength = topicLength
    self.senderLength = senderLength
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
    lend(0, topicLength, body)
  }
  /// Lends the sender's bytes.
  @inlinable
  public func withSender<R>(_ body: (RawSpan) -> R) -> R {
    lend(topicLength, senderLength, body)
  }
  /// Lends the type's bytes.
  @inlinable
  public func withType<R>(_ body: (RawSpan) -> R) -> R {
    lend(topicLength + senderLength, typeLength, body)
  }

  public var topic: Topic { Topic(checked: text(0, topicLength)) }
  public var sender: String { text(topicLength, senderLength) }
  public var type: String {
    text(topicLength + senderLength, typeLength)
  }
  /// The key with which it was published once, if it has one.
  public var idempotencyKey: IdempotencyKey? {
    guard keyLength > 0 else { return nil }
    return IdempotencyKey(checked: text(unsafe names.count - keyLength, keyLength))
  }

  /// A copy that outlives the loan. `payload` is the span that was lent beside this view.
  public func envelope(payload: RawSpan) -> Envelope {
    Envelope(
      id: id, seq: seq, timestamp: timestamp, sender: sender, topic: topic, type: type,
      payload: RawJSON(validated: unsafe payload.withUnsafeBytes { unsafe Array($0) }),
      incarnation: incarnation, position: position, idempotencyKey: idempotencyKey)
  }

  @inlinable
  var typeLength: Int { unsafe names.count - topicLength - senderLength - keyLength }

  /// The names' bytes, for as long as this view lives.
  var topicBytes: UnsafeRawBufferPointer { unsafe slice(0, topicLength) }
  var senderBytes: UnsafeRawBufferPointer { unsafe slice(topicLength, senderLength) }
  var typeBytes: UnsafeRawBufferPointer { unsafe slice(topicLength + senderLength, typeLength) }
  /// The key's bytes; none where there is no key.
  var keyBytes: UnsafeRawBufferPointer { unsafe slice(names.count - keyLength, keyLength) }
  /// The length of all three names and the key together.
  var namesLength: Int { unsafe names.count }

  @inlinable
  func slice(_ start: Int, _ length: Int) -> UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(rebasing: names[start..<start + length])
  }

  @inlinable
  func lend<R>(_ start: Int, _ length: Int, _ body: (RawSpan) -> R) -> R {
    unsafe body(slice(start, length).bytes)
  }

  private func text(_ start: Int, _ length: Int) -> String {
    unsafe String(decoding: names[start..<start + length], as: UTF8.self)
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
