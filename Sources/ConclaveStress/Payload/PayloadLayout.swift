/// Where the fields of a stress payload lie. A payload is a JSON object with one text, such as
///
/// `{"msg":"00000007 number 000000000000002a due at 0000000000000000 sum is 0123456789abcdef`
/// and then ` filler `, some letters, and `"}`:
///
/// - the publisher's index;
/// - the number: 1, 2, 3 ... per publisher;
/// - when it was due: CLOCK_MONOTONIC in nanoseconds, 0 without a rate;
/// - the ``Fingerprint`` of all other bytes; all of these in hexadecimal digits;
/// - a filler that differs from message to message.
///
/// One text, because a stress run measures the bus, not how fast JSON with many members is checked.
/// Everything but the end lies on a grid of eight bytes, so that a payload is written and hashed
/// word by word. A length that is no multiple of eight puts spaces before the last brace.
struct PayloadLayout {
  static let head =
    #"{"msg":"00000000 number 0000000000000000 due at 0000000000000000"#
    + " sum is 0000000000000000 filler "
  static let publisher = 8
  static let number = 24
  static let due = 48
  static let checksum = 72
  static let fillerName = 88
  static let filler = 96

  /// The shortest payload: room for a word of filler.
  static let minimumLength = 104

  /// The payload's length in bytes.
  let length: Int

  init(length: Int) {
    precondition(length >= PayloadLayout.minimumLength)
    self.length = length
  }

  /// Where the last word on the grid begins: six bytes of filler, the quotation mark, and the brace
  /// or a space.
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
