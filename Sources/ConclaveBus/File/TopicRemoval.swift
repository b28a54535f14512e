/// What the removals of retention mean to one reading of a topic.
struct TopicRemoval: Sendable {
  /// Whether messages were removed that the reading was to have.
  var isFelt = false
  /// Which of the streams that are seen for the first time were to be read from their number 1 on.
  var whole = WholeStreams()
}

/// Streams of which a reading has to have every message, since all of them were published behind
/// the place where it begins.
struct WholeStreams: Hashable, Sendable {
  /// Those with a message at this place in the log or behind it; `.max`: cannot be told by places.
  var position: UInt64 = .max
  /// Those of this incarnation or a later one; `.max`: cannot be told by incarnations.
  var incarnation: UInt64 = .max

  /// Those of a reading from the first message on.
  static let all = WholeStreams(position: 0, incarnation: 0)

  /// Those that began at this time or later.
  static func since(_ time: Timestamp) -> WholeStreams {
    WholeStreams(incarnation: ProcessIdentity.incarnation(at: time).addingSaturating(1))
  }

  /// Those of a reading that begins at `position`, where the segment began at `base`: who publishes
  /// in that segment began there as well.
  static func from(_ position: UInt64, base: UInt64) -> WholeStreams {
    WholeStreams(position: position <= base ? base : .max)
  }

  /// Whether the stream of a message with this incarnation and place is one of them.
  func holds(_ incarnation: UInt64, _ position: UInt64?) -> Bool {
    incarnation >= self.incarnation || position.map { $0 >= self.position } ?? false
  }
}
