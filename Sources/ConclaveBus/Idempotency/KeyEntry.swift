/// What the index remembers of one key: 64 bytes in the file, so that none lies across two pages,
/// between which alone a kill can cut a write in two.
struct KeyEntry: Hashable, Sendable {
  enum State: UInt8 {
    /// Somebody is about to publish, or died or failed before it was sure that he had.
    case intent = 1
    /// Published.
    case done = 2
  }

  var digest: SipHash.Digest
  /// The how manieth key it is: rises by one with each.
  var order: UInt64
  var moment: KeyMoment
  /// Of the message, where it is known.
  var id: MessageID?
  var state: State

  static let wordCount = 8
  static let byteCount = 64

  /// The entry in the form of the file. `salt` makes an entry that was put elsewhere a corrupt one.
  func words(salt: UInt64) -> [UInt64] {
    var words = [
      digest.first, digest.second, order, moment.wall, moment.boot, id?.counter ?? 0,
      UInt64(id?.process ?? 0) | UInt64(moment.bootTag & 0xFF_FFFF) << 32
        | UInt64(state.rawValue) << 56, 0,
    ]
    words[7] = KeyEntry.checksum(words.span.extracting(first: 7), salt: salt)
    return words
  }

  /// Whether 8 words are something that the index wrote there.
  static func isSound(_ words: Span<UInt64>, salt: UInt64) -> Bool {
    checksum(words.extracting(first: 7), salt: salt) == words[7]
      && State(rawValue: UInt8(truncatingIfNeeded: words[6] >> 56)) != nil
  }

  /// Against accidents, not against enemies. Every step is reversible, so a change in one word
  /// always changes the result.
  static func checksum(_ words: Span<UInt64>, salt: UInt64) -> UInt64 {
    var sum = salt ^ 0x9E37_79B9_7F4A_7C15
    for index in words.indices {
      sum = (sum ^ words[index]) &* 0xBF58_476D_1CE4_E5B9
      sum ^= sum >> 29
    }
    return sum
  }
}

extension KeyEntry {
  /// Reads 8 words that are sound.
  init?(words: Span<UInt64>) {
    guard let state = State(rawValue: UInt8(truncatingIfNeeded: words[6] >> 56)) else { return nil }
    let tag = UInt32(truncatingIfNeeded: words[6] >> 32 & 0xFF_FFFF)
    let process = UInt32(truncatingIfNeeded: words[6])
    self.init(
      digest: SipHash.Digest(first: words[0], second: words[1]), order: words[2],
      moment: KeyMoment(wall: words[3], boot: words[4], bootTag: tag),
      id: words[5] == 0 ? nil : MessageID(process: process, counter: words[5]), state: state)
  }
}
