/// What one call has published on one topic, and whether the topic's files have it: they themselves
/// say so, while the mirror, which is held up by another topic, cannot.
struct MirrorEvidence {
  private let shared: FileBusShared
  private let lane: SharedMemoryLane
  private let topic: Topic
  /// The numberings that it uses, by sender, and where they stood before.
  private let before: [(sender: String, numbering: SharedMemoryStream.Numbering, seq: UInt64)]
  /// The ring's position before its first message.
  let start: UInt64

  init(
    _ shared: FileBusShared, _ lane: SharedMemoryLane, _ topic: Topic,
    _ numberings: [String: SharedMemoryStream.Numbering]
  ) {
    self.shared = shared
    self.lane = lane
    self.topic = topic
    var start = UInt64.max
    before = numberings.map { sender, numbering in
      let end = lane.end(of: numbering)
      start = min(start, end.position)
      return (sender, numbering, end.seq)
    }
    self.start = start
  }

  /// To be taken when it has published: whether the files have all of that.
  ///
  /// What other threads publish meanwhile in the same numberings counts as its own.
  func claim(base: UInt64) -> Claim {
    let wanted = before.filter { lane.end(of: $0.numbering).seq > $0.seq }.map {
      (Array($0.sender.utf8), $0.seq + 1...lane.end(of: $0.numbering).seq)
    }
    return Claim(
      shared: shared, topic: topic, incarnation: lane.incarnation, wanted: wanted,
      start: base &+ start)
  }

  struct Claim {
    fileprivate let shared: FileBusShared
    fileprivate let topic: Topic
    fileprivate let incarnation: UInt64
    fileprivate let wanted: [(sender: [UInt8], seqs: ClosedRange<UInt64>)]
    fileprivate let start: UInt64

    /// Reads the topic's files behind where the ring stood before. O(that).
    var isInFiles: Bool {
      let reading = LogTopic(
        topic, shared, LogStart(position: start, withForeign: false),
        FileReporter(onWarning: nil))
      var missing = wanted.reduce(UInt64(0)) { $0.addingSaturating(UInt64($1.seqs.count)) }
      var decoder = EnvelopeDecoder()
      do {
        while missing > 0, try reading.advance(), let tail = reading.tail, let head = tail.head {
          if head.parts.incarnation == incarnation {
            let isOwn = unsafe try decoder.lend(
              head.parts, tail.bytes(head.line), topic: tail.topicBytes
            ) { view, _ in isWanted(view) }
            if isOwn { missing -= 1 }
          }
          tail.consumeHead()
        }
      } catch {
        // What cannot be read proves nothing.
        return false
      }
      return missing == 0
    }

    private func isWanted(_ view: borrowing EnvelopeView) -> Bool {
      let seq = view.seq
      return view.withSender { sender in
        unsafe sender.withUnsafeBytes { sender in
          wanted.contains { unsafe $0.seqs.contains(seq) && sender.elementsEqual($0.sender) }
        }
      }
    }
  }
}
