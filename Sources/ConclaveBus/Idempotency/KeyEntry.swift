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
        | UInt64(state.rawValue) << 56,
    ]
    words.append(KeyEntry.checksum(words[...], salt: salt))
    return words
  }

  /// What a slot holds.
  enum Slot {
    case free
    case taken(KeyEntry)
    /// Nothing that the index wrote there.
    case corrupt
  }

  /// Reads the 8 words of a slot.
  static func slot(_ words: ArraySlice<UInt64>, salt: UInt64) -> Slot {
    guard words.contains(where: { $0 != 0 }) else { return .free }
    let start = words.startIndex
    let last = words[start + 6]
    guard checksum(words[start..<start + 7], salt: salt) == words[start + 7],
      let state = State(rawValue: UInt8(truncatingIfNeeded: last >> 56))
    else { return .corrupt }
    let counter = words[start + 5]
    return .taken(
      KeyEntry(
        digest: SipHash.Digest(first: words[start], second: words[start + 1]),
        order: words[start + 2],
        moment: KeyMoment(
          wall: words[start + 3], boot: words[start + 4],
          bootTag: UInt32(truncatingIfNeeded: last >> 32 & 0xFF_FFFF)),
        id: counter == 0
          ? nil : MessageID(process: UInt32(truncatingIfNeeded: last), counter: counter),
        state: state))
  }

  /// Against accidents, not against enemies. Every step is reversible, so a change in one word
  /// always changes the result.
  static func checksum(_ words: ArraySlice<UInt64>, salt: UInt64) -> UInt64 {
    var sum = salt ^ 0x9E37_79B9_7F4A_7C15
    for word in words {
      sum = (sum ^ word) &* 0xBF58_476D_1CE4_E5B9
      sum ^= sum >> 29
    }
    return sum
  }
}
