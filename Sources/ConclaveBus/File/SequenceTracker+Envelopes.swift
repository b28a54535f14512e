extension SequenceTracker {
  /// The messages of a topic's file that are missing before this one, once.
  ///
  /// - Parameter removal: what retention has removed of the topic before this reading came to it.
  mutating func gap(
    before view: borrowing EnvelopeView, _ topic: Topic, _ removal: TopicRemoval
  ) -> Gap? {
    let missing = missing(
      before: view.seq, in: Stream(of: view),
      isWhole: removal.isFelt && removal.whole.holds(view.incarnation, view.position))
    guard let missing else { return nil }
    return Gap(
      sender: view.sender, topic: topic, process: view.id.process, incarnation: view.incarnation,
      seq: missing, reason: removal.isFelt ? .removed : .missing)
  }

  /// Call with each message that was delivered.
  mutating func delivered(_ view: borrowing EnvelopeView) {
    delivered(view.seq, in: Stream(of: view))
  }
}

extension SequenceTracker.Stream {
  /// Valid as long as the view is.
  init(of view: borrowing EnvelopeView) {
    unsafe self.init(
      process: view.id.process, incarnation: view.incarnation, sender: view.senderBytes,
      topic: view.topicBytes)
  }
}
