import SharedRing

/// Keeps account of what a subscription of the ring has lost, so that each lost message is reported
/// once, for its sender, also when the sender never speaks again.
///
/// A jump in a stream's numbers tells of a loss when the stream's next message arrives. For streams
/// that stay silent the publishers' own lists tell (``RingStreams``): after a loss the ledger
/// copies them, remembers where the ring stood then, and when the subscription has read up to there
/// whatever the lists have and the subscription has not seen is lost. The numbers that the lists
/// had when the subscription began, or at the last such settlement, are the base for streams not
/// seen since.
///
/// Known limits: a publisher that is killed between its swap and the store that follows it leaves
/// its last message out of its list, and one that is held up there while a subscription begins and
/// is overrun at once lets that message seem lost to it; lists vanish when another process takes
/// the lane over; and what an old publisher's unlisted stream lost before it was first seen shows
/// nowhere.
struct LossLedger: Sendable {
  private var base: [Int: RingStreams] = [:]
  private var hasBase: Bool
  private var lossSinceBase = false
  private var lossSinceCopy = false
  /// Whether the ring went on without the subscription since the base was taken.
  private var isOverrun = false
  private var open: (lists: [RingStreams], until: UInt64)?

  /// - Parameter lists: how far the streams had come when the subscription began; nil for a moment
  ///   of the past, of which no list tells.
  init(base lists: [RingStreams]?) {
    hasBase = lists != nil
    for list in lists ?? [] { base[list.lane] = list }
  }

  /// The last number of a stream that this subscription need not account for, now that the stream
  /// is seen for the first time with `seq`.
  ///
  /// - Parameter isNew: whether the stream is younger than the subscription.
  func base(
    lane: Int, incarnation: UInt64, _ head: RecordHead.Fields, isNew: Bool = false
  ) -> UInt64 {
    guard lossSinceBase || isNew, hasBase else { return head.seq - 1 }
    // Whoever took the lane since then began with 1.
    guard let list = base[lane], list.incarnation == incarnation else { return 0 }
    guard head.isListed else { return isNew ? 0 : head.seq - 1 }
    guard Int(head.streamNumber) < list.entries.count else { return 0 }
    return min(list.entries[Int(head.streamNumber)].number, head.seq - 1)
  }

  /// How far the wanted streams had come that need not be accounted for further back.
  func forEachBase(wanted: TopicPrefix, _ body: (SequenceTracker.Stream, UInt64) -> Void) {
    for list in base.values {
      for entry in list.entries {
        guard let names = StreamKey.parse(entry.key), wanted.matches(names.topic) else { continue }
        list.withStream(names) { body($0, min(entry.number, RecordHead.greatestNumber)) }
      }
    }
  }

  /// Records were lost. Returns whether a new episode begins.
  mutating func noteLoss() -> Bool {
    defer {
      isOverrun = true
      noteRemoval()
    }
    return !isOverrun
  }

  /// Messages were lost elsewhere than in the ring.
  mutating func noteRemoval() {
    lossSinceBase = true
    lossSinceCopy = true
  }

  /// Whether all that was lost has been told.
  var isSettled: Bool { !lossSinceBase && open == nil }

  /// Takes the lists if there was a loss since they were last taken; settles when everything up to
  /// that moment is read. Call it whenever the subscription has read on, to `position`.
  ///
  /// - Parameter elsewhere: what was read elsewhere; learns what is told here.
  mutating func settle(
    at position: UInt64, _ ring: RingSubscriber, _ table: borrowing LaneTable,
    elsewhere: inout SequenceTracker?, _ removals: RingRemovals, wanted: TopicPrefix,
    report: (Gap) -> Void
  ) {
    if let open, position >= open.until {
      for list in open.lists {
        settle(
          list, table, elsewhere: &elsewhere, removals, wanted: wanted, report: report)
      }
      base = Dictionary(open.lists.map { ($0.lane, $0) }, uniquingKeysWith: { $1 })
      hasBase = true
      lossSinceBase = lossSinceCopy
      isOverrun = isOverrun && lossSinceCopy
      self.open = nil
    }
    if open == nil, lossSinceCopy {
      lossSinceCopy = false
      let lists = ring.streams()
      open = (lists, ring.frontier)
      settle(
        at: position, ring, table, elsewhere: &elsewhere, removals, wanted: wanted,
        report: report)
    }
  }

  private func settle(
    _ list: RingStreams, _ table: borrowing LaneTable, elsewhere: inout SequenceTracker?,
    _ removals: RingRemovals, wanted: TopicPrefix, report: (Gap) -> Void
  ) {
    for (number, entry) in list.entries.enumerated() {
      guard let names = StreamKey.parse(entry.key), wanted.matches(names.topic) else { continue }
      let seen = unsafe table.known(
        lane: list.lane, incarnation: list.incarnation, number: number)
      let heard = unsafe seen?.pointee.last ?? elsewhere?.last(list, names)
      let hasForgotten = elsewhere?.hasForgotten ?? false
      let last = heard ?? (hasForgotten ? nil : unheard(list, number, names.topic, removals))
      guard let last, entry.number > last, entry.number <= RecordHead.greatestNumber else {
        continue
      }
      if unsafe seen == nil { elsewhere?.expect(entry.number + 1, list, names) }
      unsafe seen?.pointee.last = entry.number
      report(
        Gap(
          sender: names.sender, topic: names.topic, process: list.process,
          incarnation: list.incarnation, seq: last + 1...entry.number,
          reason: removals.reason(names.topic)))
    }
  }

  /// The last number of a stream of which nothing was heard that need not be accounted for.
  private func unheard(
    _ list: RingStreams, _ number: Int, _ topic: Topic, _ removals: RingRemovals
  ) -> UInt64? {
    removals.isWhole(topic, list.incarnation) ? 0 : baseNumber(list, number)
  }

  /// nil when nobody can say.
  private func baseNumber(_ list: RingStreams, _ number: Int) -> UInt64? {
    guard hasBase else { return nil }
    guard let before = base[list.lane], before.incarnation == list.incarnation,
      number < before.entries.count
    else { return 0 }
    return before.entries[number].number
  }
}

extension SequenceTracker {
  /// The last number of a stream that was delivered elsewhere; nil when nobody knows.
  fileprivate func last(
    _ list: RingStreams, _ names: (topic: Topic, sender: String)
  ) -> UInt64? {
    list.withStream(names) { expected(in: $0).flatMap { $0 > 0 ? $0 - 1 : nil } }
  }

  fileprivate mutating func expect(
    _ next: UInt64, _ list: RingStreams, _ names: (topic: Topic, sender: String)
  ) {
    list.withStream(names) { expect(next, in: $0) }
  }
}

extension RingStreams {
  fileprivate func withStream<R>(
    _ names: (topic: Topic, sender: String), _ body: (SequenceTracker.Stream) -> R
  ) -> R {
    let (topic, sender) = (Array(names.topic.name.utf8), Array(names.sender.utf8))
    return unsafe topic.withUnsafeBytes { topic in
      unsafe sender.withUnsafeBytes { sender in
        let stream = unsafe SequenceTracker.Stream(
          process: process, incarnation: incarnation, sender: sender, topic: topic)
        return body(stream)
      }
    }
  }
}
