/// What stands before the payload in a record: 32 bytes of numbers, then topic, sender, type and
/// idempotency key, filled up to a multiple of 8.
///
///     word 0   seq; in its highest byte the length of the key, if word 3 says that there is one
///     word 1   time stamp, nanoseconds since the epoch
///     word 2   the id's counter
///     word 3   pid (24 bits) | length of topic (8) | of sender (8) | of type (8) | stream (16)
///
/// `stream` numbers the (sender, topic) pairs of one lane's holder, so that subscribers find what
/// they know of it without looking at names; its highest bit says that the lane lists it for those
/// who lose messages, the next that its publisher waits for the message to be on the disk, the
/// third that the message has an idempotency key, the fourth that its publisher lets the mirror
/// give it up.
enum RecordHead {
  static let fixedBytes = 32
  /// What the largest message leaves for heads: more than the longest names need.
  static let reservedBytes = 1024
  /// Streams are numbered up to here; those beyond share this number and are told apart by name.
  static let unnumbered: UInt16 = 0x0FFF
  /// No stream gets this far: a thousand million messages a second for two years.
  static let greatestNumber: UInt64 = 1 << 56
  static let listedBit: UInt16 = 0x8000
  static let syncBit: UInt16 = 0x4000
  static let keyedBit: UInt16 = 0x2000
  static let looseBit: UInt16 = 0x1000
  /// Linux: `PID_MAX_LIMIT` is 2^22.
  static let processMask: UInt64 = 0xFF_FFFF

  static func paddedBytes(names: Int) -> Int { (names + 7) / 8 * 8 }

  static func word3(
    process: UInt32, topic: Int, sender: Int, type: Int, stream: UInt16
  ) -> UInt64 {
    UInt64(process) & processMask | UInt64(topic) << 24 | UInt64(sender) << 32
      | UInt64(type) << 40 | UInt64(stream) << 48
  }

  /// The head of a record as it was read; nil when the numbers do not fit the record.
  @inline(__always)
  static func read(_ body: RawSpan) -> Fields? {
    guard body.byteCount >= fixedBytes else { return nil }
    let word3 = unsafe body.unsafeLoadUnaligned(fromByteOffset: 24, as: UInt64.self)
    let word0 = unsafe body.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt64.self)
    let isKeyed = word3 >> 48 & UInt64(keyedBit) != 0
    let fields = unsafe Fields(
      seq: isKeyed ? word0 & (greatestNumber - 1) : word0,
      keyLength: isKeyed ? Int(word0 >> 56) : 0,
      timestamp: body.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt64.self),
      counter: body.unsafeLoadUnaligned(fromByteOffset: 16, as: UInt64.self),
      word3: word3)
    guard fields.seq &- 1 < greatestNumber, fields.payloadOffset < body.byteCount
    else { return nil }
    return fields
  }

  struct Fields {
    let seq: UInt64
    let keyLength: Int
    let timestamp: UInt64
    let counter: UInt64
    let word3: UInt64

    var process: UInt32 { UInt32(truncatingIfNeeded: word3 & processMask) }
    var topicLength: Int { Int(word3 >> 24 & 0xFF) }
    var senderLength: Int { Int(word3 >> 32 & 0xFF) }
    var typeLength: Int { Int(word3 >> 40 & 0xFF) }
    /// The lengths of topic and sender in one.
    var nameLengths: UInt16 { UInt16(truncatingIfNeeded: word3 >> 24) }
    var stream: UInt16 { UInt16(truncatingIfNeeded: word3 >> 48) }
    /// The key's among them.
    var namesLength: Int { topicLength + senderLength + typeLength + keyLength }
    var payloadOffset: Int { fixedBytes + paddedBytes(names: namesLength) }
    var isListed: Bool { stream & listedBit != 0 }
    var wantsSync: Bool { stream & syncBit != 0 }
    var mayBeGivenUp: Bool { stream & looseBit != 0 }
    var streamNumber: UInt16 { stream & ~(listedBit | syncBit | keyedBit | looseBit) }
  }
}
