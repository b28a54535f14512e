/// What a topic's file is called: `{topic}.jsonl` the active one, which is appended to, and
/// `{topic}.jsonl.000001` and so on those that were, the oldest first.
///
/// A number has six digits, or more where it needs them; nothing else is a number, so that each
/// file has one name. (`{topic}.1.jsonl` would be the active file of another topic.)
struct TopicFileName: Hashable, Sendable {
  let topic: Topic
  /// Nil for the active file.
  let number: UInt64?

  static let suffix = ".jsonl"
  private static let digits = 6
  /// A name must not be longer than the file system allows, whatever the topic: 18 digits.
  static let greatestNumber: UInt64 = 999_999_999_999_999_999

  init(_ topic: Topic, number: UInt64? = nil) {
    self.topic = topic
    self.number = number
  }

  /// Nil for files that are no topic's.
  init?(_ text: String) {
    var stem = text[...]
    var number: UInt64?
    if let dot = text.utf8.lastIndex(of: UInt8(ascii: ".")),
      let found = Self.number(text[text.utf8.index(after: dot)...])
    {
      (stem, number) = (text[..<dot], found)
    }
    guard stem.utf8.count > Self.suffix.utf8.count, stem.hasSuffix(Self.suffix),
      let topic = try? Topic(String(stem.dropLast(Self.suffix.utf8.count)))
    else { return nil }
    self.init(topic, number: number)
  }

  var text: String {
    guard let number else { return topic.name + Self.suffix }
    let text = String(number)
    let zeros = String(repeating: "0", count: max(0, Self.digits - text.utf8.count))
    return "\(topic.name)\(Self.suffix).\(zeros)\(text)"
  }

  private static func number(_ text: Substring) -> UInt64? {
    guard text.utf8.count >= digits,
      text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      text.utf8.count == digits || text.utf8.first != UInt8(ascii: "0"),
      let number = UInt64(text), (1...greatestNumber).contains(number)
    else { return nil }
    return number
  }
}
