import Testing

@testable import ConclaveBus

extension MirroredFixture {
  /// Puts the topic's messages aside and removes all files but those with its last `count`.
  func remove(keeping count: UInt64, of topic: String = "t") throws {
    #expect(settle())
    let files = try FileBus(directory: directory)
    let rules = RetentionRules(rules: [
      RetentionRules.Rule(
        prefix: try TopicPrefix(topic), policy: RetentionPolicy(count: count))
    ])
    #expect(try files.compact(by: rules).map(\.topic.name) == [topic])
    files.close()
  }

  /// Puts the topic's messages aside.
  func rotate(_ topic: String = "t") throws {
    #expect(settle())
    let files = try FileBus(directory: directory)
    #expect(try files.rotate(Topic(topic)) != nil)
    files.close()
  }
}

/// Payloads, and the numbers and reasons of gaps.
func numbers(_ deliveries: [Delivery]) -> [String] {
  deliveries.map {
    switch $0 {
    case .envelope(let envelope): envelope.payload.description
    case .gap(let gap): "\(gap.seq.lowerBound) to \(gap.seq.upperBound) \(gap.reason)"
    }
  }
}
