import ConclaveBus

/// The parts of a line that are made of what others wrote.
extension BoardText {
  /// The greatest length of a sender's name that is shown, in bytes.
  static let longestName = 40

  /// A sender: as it is when it is a plain word, otherwise on one line in quotation marks.
  static func name(_ sender: String) -> String {
    let isPlain = sender.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "._:@/+-".utf8.contains(byte)
      }
    }
    if isPlain, (1...longestName).contains(sender.utf8.count) { return sender }
    return inQuotes(cut(line(sender), toBytes: longestName))
  }

  /// `text` between quotation marks, which only end where it ends.
  static func inQuotes(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      if scalar == "\"" || scalar == "\\" { result += "\\" }
      result.unicodeScalars.append(scalar)
    }
    return result + "\""
  }

  /// How long ago, to a unit or so.
  static func age(of time: Timestamp, at now: Timestamp) -> String {
    guard time < now else { return "just now" }
    let seconds = (now.nanosecondsSinceEpoch - time.nanosecondsSinceEpoch) / 1_000_000_000
    return switch seconds {
    case 0: "just now"
    case ..<60: "\(seconds) s ago"
    case ..<3600: "\(seconds / 60) min ago"
    case ..<172_800: "\(seconds / 3600) h ago"
    default: "\(seconds / 86_400) d ago"
    }
  }
}
