import SharedRing

/// Looks for a message in the ring: what the files do not have yet.
struct RingSearch {
  /// Without back pressure. A search moves it.
  let ring: RingSubscriber
  let board: RingMirrorBoard

  /// What the files have by now, if they are read after this was asked: from this position of the
  /// ring on, a message must be looked for in the ring as well.
  var start: UInt64 { board.mirrored }

  /// What a search came to, as positions of the ring.
  struct Answer: Equatable {
    /// The first message that was wanted.
    var found: UInt64?
    /// Before it: the first position that the ring does not have any more.
    var lost: UInt64?
  }

  /// The message `id`, in any topic.
  func find(_ id: MessageID, from start: UInt64) -> Answer {
    find(from: start, upTo: ring.frontier) { head, _ in
      head.process == id.process && head.counter == id.counter
    }
  }

  /// The first message below `prefix` that was published at `time` or later.
  func find(
    since time: Timestamp, _ prefix: TopicPrefix, from start: UInt64, upTo end: UInt64
  ) -> Answer {
    find(from: start, upTo: end) { head, body in
      guard head.timestamp >= time.nanosecondsSinceEpoch else { return false }
      let name = unsafe body.withUnsafeBytes { bytes in
        unsafe String(
          decoding: bytes[RecordHead.fixedBytes..<RecordHead.fixedBytes + head.topicLength],
          as: UTF8.self)
      }
      return (try? Topic(name)).map(prefix.matches) ?? false
    }
  }

  /// O(what lies between the two).
  private func find(
    from start: UInt64, upTo end: UInt64, _ isWanted: (RecordHead.Fields, RawSpan) -> Bool
  ) -> Answer {
    var answer = Answer()
    ring.seek(to: start)
    while answer.found == nil, ring.position < end {
      let read = ring.receive(limit: Int(min(end - ring.position, 1024))) { loss in
        guard answer.found == nil, answer.lost == nil, loss.isOverrun else { return }
        answer.lost = loss.positions?.lowerBound
      } onMessage: { place, body in
        guard answer.found == nil, let head = RecordHead.read(body), isWanted(head, body) else {
          return
        }
        answer.found = place.position
      }
      if read == 0 { break }
    }
    return answer
  }
}
