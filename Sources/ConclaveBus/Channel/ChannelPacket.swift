/// Who speaks about what: one per (sender, topic) of a bus, shared by all its messages and gaps.
final class ChannelStream: Sendable {
  /// Counts the bus's streams from 0.
  let index: Int
  let topic: Topic
  let sender: String

  init(index: Int, topic: Topic, sender: String) {
    self.index = index
    self.topic = topic
    self.sender = sender
  }
}

/// The names of a message laid out as they are lent, so that lending builds nothing.
final class ChannelNames: Sendable {
  let stream: ChannelStream
  let type: String
  /// Topic, sender and type behind each other.
  let bytes: [UInt8]

  init(stream: ChannelStream, type: String) {
    self.stream = stream
    self.type = type
    bytes = Array(stream.topic.name.utf8) + Array(stream.sender.utf8) + Array(type.utf8)
  }
}

/// A published message: made once, shared by all subscriptions that receive it.
final class ChannelPacket: Sendable {
  let names: ChannelNames
  let id: MessageID
  let seq: UInt64
  let timestamp: Timestamp
  let incarnation: UInt64
  let position: UInt64
  let payload: RawJSON
  let key: IdempotencyKey?
  /// The names as they are lent, with the key behind them where there is one.
  private let lentNames: [UInt8]

  init(
    names: ChannelNames, id: MessageID, seq: UInt64, timestamp: Timestamp, incarnation: UInt64,
    position: UInt64, payload: RawJSON, key: IdempotencyKey?
  ) {
    self.names = names
    self.id = id
    self.seq = seq
    self.timestamp = timestamp
    self.incarnation = incarnation
    self.position = position
    self.payload = payload
    self.key = key
    lentNames = key.map { names.bytes + Array($0.text.utf8) } ?? names.bytes
  }

  /// Shares the names and the payload.
  var envelope: Envelope {
    Envelope(
      id: id, seq: seq, timestamp: timestamp, sender: names.stream.sender,
      topic: names.stream.topic, type: names.type, payload: payload, incarnation: incarnation,
      position: position, idempotencyKey: key)
  }

  /// Allocates nothing.
  func lend(_ body: (borrowing EnvelopeView, RawSpan) -> Void) {
    let payload = payload.bytes
    unsafe lentNames.withUnsafeBytes { bytes in
      let view = unsafe EnvelopeView(
        unsafeNames: bytes, topicLength: names.stream.topic.name.utf8.count,
        senderLength: names.stream.sender.utf8.count,
        keyLength: lentNames.count - names.bytes.count, id: id, seq: seq, timestamp: timestamp,
        incarnation: incarnation, position: position)
      unsafe body(view, payload.span.bytes)
    }
  }
}

/// Messages of one stream that one subscription had no room for.
struct ChannelGap {
  let process: UInt32
  let incarnation: UInt64
  let stream: ChannelStream
  let first: UInt64
  var last: UInt64

  init(_ packet: ChannelPacket) {
    process = packet.id.process
    incarnation = packet.incarnation
    stream = packet.names.stream
    first = packet.seq
    last = packet.seq
  }

  var count: UInt64 { last - first + 1 }

  var gap: Gap {
    Gap(
      sender: stream.sender, topic: stream.topic, process: process, incarnation: incarnation,
      seq: first...last, reason: .dropped)
  }
}
