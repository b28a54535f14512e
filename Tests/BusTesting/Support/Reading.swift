import ConclaveBus

/// Checks that each stream's numbers go on without a hole, a repetition or an overlap, gaps
/// included.
struct NumberingChecker {
  private struct Stream: Hashable {
    let process: UInt32
    let incarnation: UInt64
    let sender: String
    let topic: Topic
  }

  private var last: [Stream: UInt64] = [:]
  /// Whether each stream must begin with 1, or may have been going on already.
  let fromTheFirst: Bool
  private(set) var messages: UInt64 = 0
  private(set) var lost: UInt64 = 0

  init(fromTheFirst: Bool = true) { self.fromTheFirst = fromTheFirst }

  mutating func accept(_ delivery: Delivery) throws {
    switch delivery {
    case .envelope(let envelope):
      let stream = Stream(
        process: envelope.id.process, incarnation: envelope.incarnation, sender: envelope.sender,
        topic: envelope.topic)
      try advance(stream, from: envelope.seq, to: envelope.seq)
      messages += 1
    case .gap(let gap):
      let stream = Stream(
        process: gap.process, incarnation: gap.incarnation, sender: gap.sender, topic: gap.topic)
      try advance(stream, from: gap.seq.lowerBound, to: gap.seq.upperBound)
      lost += gap.count
    }
  }

  private mutating func advance(_ stream: Stream, from first: UInt64, to lastSeq: UInt64) throws {
    if let before = last[stream] ?? (fromTheFirst ? 0 : nil) {
      try expect(
        first == before + 1,
        "\(before + 1) as the next number of \(stream.sender) on \(stream.topic)",
        saw: first == lastSeq ? "\(first)" : "a gap \(first)...\(lastSeq)")
    }
    last[stream] = lastSeq
  }
}

extension NumberingChecker {
  /// Checks `deliveries` in one go.
  @discardableResult
  static func check(_ deliveries: [Delivery], fromTheFirst: Bool = true) throws -> NumberingChecker
  {
    var checker = NumberingChecker(fromTheFirst: fromTheFirst)
    for delivery in deliveries { try checker.accept(delivery) }
    return checker
  }
}

extension Subscription {
  /// Everything up to the end of a subscription whose bus is closed.
  func readToEnd() async throws -> [Delivery] {
    let patience = Patience.each
    return try await onThread {
      var result: [Delivery] = []
      while let delivery = try self.receive(timeout: patience) { result.append(delivery) }
      try expect(self.isEnded, "the end after close()", saw: "none within \(patience)")
      return result
    }
  }

  /// The next deliveries until they account for `count` messages, gaps included. Blocks.
  func readBlocking(_ count: Int, patience: Duration) throws -> [Delivery] {
    var result: [Delivery] = []
    var accounted: UInt64 = 0
    while accounted < UInt64(count) {
      guard let delivery = try receive(timeout: patience) else {
        throw Violation(
          expected: "\(count) messages",
          seen: "\(accounted) and \(isEnded ? "the end" : "nothing more within \(patience)")")
      }
      if case .gap(let gap) = delivery { accounted += gap.count } else { accounted += 1 }
      result.append(delivery)
    }
    return result
  }

  func read(_ count: Int) async throws -> [Delivery] {
    let patience = Patience.each
    return try await onThread { try self.readBlocking(count, patience: patience) }
  }

  /// The next `count` messages; a gap is a violation.
  func readMessages(_ count: Int) async throws -> [Envelope] {
    try await read(count).messages()
  }

  /// Everything that is there now.
  func pollAll() throws -> [Delivery] {
    var result: [Delivery] = []
    while let delivery = try poll() { result.append(delivery) }
    return result
  }
}

extension [Delivery] {
  func messages() throws -> [Envelope] {
    try map { delivery in
      switch delivery {
      case .envelope(let envelope): return envelope
      case .gap(let gap): throw Violation(expected: "messages only", seen: "\(gap)")
      }
    }
  }

  /// The messages, whatever is missing between them.
  var envelopes: [Envelope] {
    compactMap { if case .envelope(let envelope) = $0 { envelope } else { nil } }
  }

  var gaps: [Gap] { compactMap { if case .gap(let gap) = $0 { gap } else { nil } } }
}

extension [Envelope] {
  var numbers: [Int?] { map { Payloads.number(of: $0.payload) } }
}
