import ConclaveBus

/// The names that stress messages carry: short, because every record carries them.
enum StressNames {
  static let topic = "stress"
  static let type = "s"
  /// Senders have three digits, so that each is one word to compare.
  private static let senderLength = 4

  static func sender(_ publisher: Int) -> String {
    let digits = String(publisher)
    return "p" + String(repeating: "0", count: max(0, 3 - digits.count)) + digits
  }

  /// The publisher that has this sender's name, or nil.
  static func publisher(_ sender: String) -> Int? {
    guard let publisher = Int(sender.dropFirst()), publisher >= 0,
      sender.utf8.count == senderLength, sender == StressNames.sender(publisher)
    else { return nil }
    return publisher
  }

  /// The sender's name as it lies in memory.
  static func senderWord(_ publisher: Int) -> UInt32 {
    var word: UInt32 = 0
    for byte in sender(publisher).utf8.reversed() { word = word << 8 | UInt32(byte) }
    return UInt32(littleEndian: word)
  }

  /// The same of a message; 0 when it is too long or too short to be one of ours.
  @inline(__always)
  static func senderWord(_ view: borrowing EnvelopeView) -> UInt32 {
    view.withSender { bytes in
      guard bytes.byteCount == senderLength else { return 0 }
      return unsafe bytes.unsafeLoadUnaligned(as: UInt32.self)
    }
  }
}
