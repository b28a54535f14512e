/// What retention kept a reader of the files from having, as it matters to who goes on in the ring
/// behind it: until what that one has lost is settled.
struct RingRemovals: Sendable {
  private var topics: [Topic: TopicRemoval] = [:]
  /// The place in the log of the ring's position 0.
  var base: UInt64 = 0

  var isEmpty: Bool { topics.isEmpty }

  mutating func add(_ more: [Topic: TopicRemoval]) {
    topics.merge(more) { known, _ in known }
  }

  mutating func settle() { topics = [:] }

  /// Why messages of `topic` are missing.
  func reason(_ topic: Topic) -> Gap.Reason { topics[topic] == nil ? .overrun : .removed }

  /// Whether a stream of `topic` should have been known from its number 1 on, but for retention.
  func isWhole(_ topic: Topic, _ incarnation: UInt64) -> Bool {
    topics[topic]?.whole.holds(incarnation, base) ?? false
  }
}
