/// How much a mirror has appended.
struct MirrorCount {
  var messages: UInt64 = 0
  var bytes: UInt64 = 0
}

/// Lines that the mirror has made and that are not known to be in their file, and their places.
struct MirrorLines: ~Copyable, Sendable {
  private(set) var batch = LineBatch()
  private(set) var positions: [UInt64] = []
  /// The last place of a line that its publisher does not let the mirror give up.
  private var lastFirm: UInt64?

  var isEmpty: Bool { positions.isEmpty }

  /// Whether the publishers of all of them let the mirror give them up.
  var mayBeGivenUp: Bool {
    guard let first = positions.first, let lastFirm else { return true }
    return lastFirm < first
  }

  /// - Parameter isLost: whether what was read here is nonsense; asked when it has been read.
  /// - Returns: whether there is a line of it.
  @inline(__always)
  mutating func add(
    _ view: borrowing EnvelopeView, payload: RawSpan, position: UInt64, mayBeGivenUp: Bool,
    unless isLost: @autoclosure () -> Bool
  ) -> Bool {
    batch.append(view, payload: payload)
    if isLost() {
      batch.removeLast()
      return false
    }
    positions.append(position)
    if !mayBeGivenUp { lastFirm = position }
    return true
  }

  mutating func removeFirst(_ count: Int) {
    batch.removeFirst(count)
    positions.removeFirst(count)
  }

  mutating func removeAll() {
    batch.removeAll()
    positions.removeAll(keepingCapacity: true)
  }

  /// Appends them, and keeps those that could not be.
  mutating func append(by appender: TopicAppender) -> TopicAppender.Outcome {
    let outcome = appender.append(prepared: &batch)
    positions.removeFirst(outcome.published)
    return outcome
  }
}
