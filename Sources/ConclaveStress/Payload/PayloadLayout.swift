/// Where the fields of a stress payload lie. A payload is one flat JSON object such as
///
///     {"msg":"00000007000000000000002a0000000000000000","ck":"0123456789abcdef","xx":"..."}
///
/// - `msg`: the publisher's index (8 digits), the message's number, 1, 2, 3 ... per publisher (16), and
///   when it was due (CLOCK_MONOTONIC in nanoseconds; 0 without a rate) (16), in hexadecimal digits;
/// - `ck`: the ``Fingerprint`` of all other bytes; `xx`: a filler that differs from message to message.
///
/// Everything but the end lies on a grid of eight bytes, which the short names make possible; so a
/// payload is written and hashed word by word. A length that is no multiple of eight puts spaces
/// before the last brace.
struct PayloadLayout {
  static let head =
    #"{"msg":"0000000000000000000000000000000000000000","ck":"0000000000000000","xx":""#
  static let publisher = 8
  static let number = 16
  static let due = 32
  static let checksumName = 48
  static let checksum = 56
  static let fillerName = 72
  static let filler = 80

  /// The shortest payload: room for a word of filler.
  static let minimumLength = 88

  /// The payload's length in bytes.
  let length: Int

  init(length: Int) {
    precondition(length >= PayloadLayout.minimumLength)
    self.length = length
  }

  /// Where the last word on the grid begins: six bytes of filler, the quotation mark, and the brace or
  /// a space.
  var lastWord: Int { length & ~7 - 8 }

  /// How many words of filler there are in front of the last word.
  var fillerWords: Int { (lastWord - PayloadLayout.filler) / 8 }

  /// How many bytes there are behind the grid.
  var trailing: Int { length & 7 }

  /// The bytes of the last word that are always the same.
  var lastWordEnd: UInt64 {
    UInt64(littleEndian: trailing == 0 ? 0x7D22_0000_0000_0000 : 0x2022_0000_0000_0000)
  }
  static let lastWordFiller = UInt64(littleEndian: 0x0000_FFFF_FFFF_FFFF)

  /// What the payload's last eight bytes must be where ``trailingMask`` has ones.
  var trailingBytes: UInt64 { UInt64(littleEndian: 0x7D20_2020_2020_2020) & trailingMask }
  var trailingMask: UInt64 {
    UInt64(littleEndian: trailing == 0 ? 0 : ~0 << UInt64(64 - 8 * trailing))
  }
}
