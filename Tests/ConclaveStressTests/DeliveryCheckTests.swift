import ConclaveBus
import Testing

@testable import ConclaveStress

/// Feeds a check with deliveries that each have one fault, and sees it named.
@Suite struct DeliveryCheckTests {
  private static let publishers = 3
  private static let share: UInt64 = 20

  private enum Step {
    case message(publisher: Int, number: UInt64, seq: UInt64? = nil, sender: Int? = nil)
    case damaged(publisher: Int, number: UInt64)
    case gap(publisher: Int, ClosedRange<UInt64>)
  }

  /// All messages of all publishers, in turns.
  private static var faultless: [Step] {
    (1...share).flatMap { number in
      (0..<publishers).map { .message(publisher: $0, number: number) }
    }
  }

  private func check(_ steps: [Step]) throws -> DeliveryCheck {
    let length = 128
    var check = DeliveryCheck(
      shares: Array(repeating: Self.share, count: Self.publishers), payloadLength: length)
    let topic = try Topic(StressNames.topic)
    for step in steps {
      switch step {
      case .message(let publisher, let number, let seq, let sender):
        let bytes = payload(PayloadWriter(publisher: publisher, length: length), number)
        try envelope(topic, StressNames.sender(sender ?? publisher), seq ?? number, bytes)
          .lend { view, payload in _ = check.accept(view, payload) }
      case .damaged(let publisher, let number):
        var bytes = payload(PayloadWriter(publisher: publisher, length: length), number)
        bytes[100] ^= 2
        try envelope(topic, StressNames.sender(publisher), number, bytes)
          .lend { view, payload in _ = check.accept(view, payload) }
      case .gap(let publisher, let seq):
        check.accept(
          Gap(
            sender: StressNames.sender(publisher), topic: topic, process: 1, incarnation: 1,
            seq: seq, reason: .overrun))
      }
    }
    return check
  }

  private func envelope(
    _ topic: Topic, _ sender: String, _ seq: UInt64, _ bytes: [UInt8]
  ) throws -> Envelope {
    Envelope(
      id: MessageID(process: 1, counter: seq), seq: seq,
      timestamp: Timestamp(nanosecondsSinceEpoch: 0), sender: sender, topic: topic,
      type: StressNames.type, payload: try RawJSON(bytes))
  }

  /// Delivered, reported, mismatches, duplicates, out of order, corrupt.
  private func expect(
    _ check: DeliveryCheck, _ delivered: UInt64, _ reported: UInt64, _ mismatches: UInt64,
    _ duplicates: UInt64, _ outOfOrder: UInt64, _ corrupt: UInt64,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let found = [
      check.delivered, check.gapsReported, check.gapMismatches, check.duplicates,
      check.outOfOrder, check.corrupt,
    ]
    #expect(
      found == [delivered, reported, mismatches, duplicates, outOfOrder, corrupt],
      sourceLocation: sourceLocation)
  }

  @Test func faultless() throws { try expect(check(Self.faultless), 60, 0, 0, 0, 0, 0) }

  @Test(arguments: [3, 30, 59])
  func loss(_ index: Int) throws {
    var steps = Self.faultless
    steps.remove(at: index)
    try expect(check(steps), 59, 0, 0, 0, 0, 0)
  }

  @Test(arguments: [3, 30, 59])
  func duplicate(_ index: Int) throws {
    var steps = Self.faultless
    steps.insert(steps[index], at: index)
    try expect(check(steps), 60, 0, 0, 1, 0, 0)
    steps = Self.faultless + [Self.faultless[index]]
    try expect(check(steps), 60, 0, 0, 1, 0, 0)
  }

  /// Two neighbours of one publisher change places.
  @Test(arguments: [3, 30, 56])
  func reorder(_ index: Int) throws {
    var steps = Self.faultless
    steps.swapAt(index, index + Self.publishers)
    try expect(check(steps), 60, 0, 0, 0, 1, 0)
  }

  /// One message comes much later than it should.
  @Test func late() throws {
    var steps = Self.faultless
    steps.append(steps.remove(at: 4))
    try expect(check(steps), 60, 0, 0, 0, 1, 0)
  }

  @Test func reportedLoss() throws {
    var steps = Self.faultless.filter { step in
      if case .message(1, 5...9, _, _) = step { false } else { true }
    }
    let index = steps.firstIndex { if case .message(1, 10, _, _) = $0 { true } else { false } }
    steps.insert(.gap(publisher: 1, 5...9), at: try #require(index))
    try expect(check(steps), 55, 5, 0, 0, 0, 0)
  }

  @Test func gapsThatDoNotFit() throws {
    func gap(_ seq: ClosedRange<UInt64>, publisher: Int = 1) throws -> DeliveryCheck {
      var steps = Self.faultless.filter { step in
        if case .message(1, 5...9, _, _) = step { false } else { true }
      }
      let index = steps.firstIndex { if case .message(1, 10, _, _) = $0 { true } else { false } }
      steps.insert(.gap(publisher: publisher, seq), at: try #require(index))
      return try check(steps)
    }
    // Begins too late, or too soon; the wrong publisher; one nobody knows; beyond what was sent.
    try expect(gap(6...9), 55, 4, 1, 0, 0, 0)
    try expect(gap(4...9), 55, 6, 1, 0, 0, 0)
    try expect(gap(5...9, publisher: 2), 55, 5, 1, 0, 0, 0)
    try expect(gap(5...9, publisher: 77), 55, 5, 1, 0, 0, 0)
    try expect(gap(5...21), 55, 17, 1, 0, 0, 0)
    // Too short: what it leaves out is lost without having been reported.
    try expect(gap(5...8), 55, 4, 0, 0, 0, 0)
    // Too long: the message that comes all the same was reported lost.
    try expect(gap(5...10), 54, 6, 0, 1, 0, 0)
  }

  @Test func corruption() throws {
    func replacing(_ index: Int, by step: Step) throws -> DeliveryCheck {
      var steps = Self.faultless
      steps[index] = step
      return try check(steps)
    }
    // Index 30 is message 11 of publisher 0. A damaged byte; an envelope of another number, and of
    // another sender; a publisher and numbers that do not exist.
    try expect(replacing(30, by: .damaged(publisher: 0, number: 11)), 59, 0, 0, 0, 0, 1)
    try expect(replacing(30, by: .message(publisher: 0, number: 11, seq: 12)), 59, 0, 0, 0, 0, 1)
    try expect(replacing(30, by: .message(publisher: 0, number: 11, sender: 1)), 59, 0, 0, 0, 0, 1)
    try expect(replacing(30, by: .message(publisher: 99, number: 11)), 59, 0, 0, 0, 0, 1)
    try expect(replacing(30, by: .message(publisher: 0, number: 21)), 59, 0, 0, 0, 0, 1)
    try expect(replacing(30, by: .message(publisher: 0, number: 0)), 59, 0, 0, 0, 0, 1)
  }

  @Test func names() {
    #expect(StressNames.sender(7) == "p007")
    for publisher in [0, 7, 42, 119] {
      #expect(StressNames.publisher(StressNames.sender(publisher)) == publisher)
    }
    for name in ["", "p", "p07", "p0007", "q007", "p-07", "p+07", "pxyz"] {
      #expect(StressNames.publisher(name) == nil)
    }
  }
}
