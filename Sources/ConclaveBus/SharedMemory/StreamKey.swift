/// What a lane lists a stream under: the topic's length, the topic, the sender.
enum StreamKey {
  static func bytes(topic: Topic, sender: String) -> [UInt8] {
    [UInt8(truncatingIfNeeded: topic.name.utf8.count)] + Array(topic.name.utf8)
      + Array(sender.utf8)
  }

  /// nil when another process wrote nonsense.
  static func parse(_ key: [UInt8]) -> (topic: Topic, sender: String)? {
    guard let length = key.first, key.count > Int(length),
      Topic.isWellFormed(key[1...Int(length)]),
      Message.isWellFormedName(key[(Int(length) + 1)...])
    else { return nil }
    return (
      Topic(checked: String(decoding: key[1...Int(length)], as: UTF8.self)),
      String(decoding: key[(Int(length) + 1)...], as: UTF8.self)
    )
  }
}
