package import ConclaveBus

/// Checks everything that one subscriber receives against what the publishers must have sent:
/// bytes, order, numbers, and that what is missing was reported, no more and no less.
///
/// Allocates nothing per message as long as nothing is wrong.
package struct DeliveryCheck {
  /// What is known of one publisher.
  fileprivate struct Track {
    /// The number that comes next.
    var next: UInt64 = 1
    /// The number of its last message.
    let last: UInt64
    let senderWord: UInt32
    /// Numbers that were jumped over without a gap having been reported.
    var holes: [ClosedRange<UInt64>] = []
  }

  private let reader: PayloadReader
  private var tracks: [Track]
  /// Messages that arrived intact, each counted once.
  package private(set) var delivered: UInt64 = 0
  /// Messages that gaps said are lost.
  package private(set) var gapsReported: UInt64 = 0
  /// Messages that came again, or came although a gap had reported them.
  package private(set) var duplicates: UInt64 = 0
  /// Messages that came after a later one of their publisher.
  package private(set) var outOfOrder: UInt64 = 0
  /// Messages with a wrong byte, or whose envelope does not fit them.
  package private(set) var corrupt: UInt64 = 0
  /// Gaps that do not begin where the messages before them ended, or name what was never sent.
  package private(set) var gapMismatches: UInt64 = 0

  /// - Parameter shares: how many messages each publisher sends.
  package init(shares: [UInt64], payloadLength: Int) {
    reader = PayloadReader(length: payloadLength)
    tracks = shares.enumerated().map { index, share in
      Track(last: share, senderWord: StressNames.senderWord(index))
    }
  }

  /// How many messages are accounted for, delivered or reported lost.
  package var accounted: UInt64 { delivered + gapsReported }

  /// Checks a message; returns whether it was a good one that had not been seen.
  @inline(__always)
  @discardableResult
  package mutating func accept(_ view: borrowing EnvelopeView, _ payload: RawSpan) -> Bool {
    guard let contents = reader.read(payload), contents.publisher < tracks.count else {
      corrupt += 1
      return false
    }
    let index = Int(contents.publisher)
    guard view.seq == contents.number, StressNames.senderWord(view) == tracks[index].senderWord
    else {
      corrupt += 1
      return false
    }
    guard contents.number == tracks[index].next, contents.number <= tracks[index].last else {
      return acceptUnexpected(contents.number, from: index)
    }
    tracks[index].next &+= 1
    delivered &+= 1
    return true
  }

  /// When the payload was due; for one that was accepted.
  package func due(_ payload: RawSpan) -> UInt64 { reader.due(payload) }

  /// Checks the news that messages are lost.
  package mutating func accept(_ gap: Gap) {
    gapsReported += gap.count
    guard let index = StressNames.publisher(gap.sender), index < tracks.count,
      gap.seq.lowerBound == tracks[index].next, gap.seq.upperBound <= tracks[index].last
    else {
      gapMismatches += 1
      return
    }
    tracks[index].next = gap.seq.upperBound + 1
  }

  /// A message that is not the next one of its publisher.
  @inline(never)
  private mutating func acceptUnexpected(_ number: UInt64, from index: Int) -> Bool {
    guard (1...tracks[index].last).contains(number) else {
      corrupt += 1
      return false
    }
    let next = tracks[index].next
    if number > next {
      tracks[index].holes.append(next...number - 1)
      tracks[index].next = number + 1
    } else if tracks[index].takeFromHoles(number) {
      outOfOrder += 1
    } else {
      duplicates += 1
      return false
    }
    delivered += 1
    return true
  }
}

extension DeliveryCheck.Track {
  /// Whether `number` was missing; it is not any more.
  fileprivate mutating func takeFromHoles(_ number: UInt64) -> Bool {
    guard let index = holes.firstIndex(where: { $0.contains(number) }) else { return false }
    let hole = holes.remove(at: index)
    if number < hole.upperBound { holes.insert(number + 1...hole.upperBound, at: index) }
    if number > hole.lowerBound { holes.insert(hole.lowerBound...number - 1, at: index) }
    return true
  }
}
