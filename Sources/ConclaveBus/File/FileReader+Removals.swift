/// What retention has removed before this reading came to it.
extension FileReader {
  /// Call when the reading begins with a topic. What is gone by then it was not to have, unless
  /// that was published since it began.
  func noteRemovalsBefore(_ topic: Topic) {
    guard removals[topic] == nil else { return }
    let entry = memory.entry(of: topic)
    let isLoss = entry.map { $0.timestamp >= owedSince } ?? false
    removals[topic] = TopicRemoval(
      isFelt: isLoss, whole: beginsWithOldest && entry == nil ? .all : WholeStreams())
    if isLoss || beginsWithOldest && entry != nil {
      reporter.messagesRemoved(of: topic, places: .max, isLoss: isLoss)
    }
  }

  /// Before a reading that begins at `time`.
  func noteRemovals(of topic: Topic, since time: Timestamp) {
    guard let entry = memory.entry(of: topic), entry.timestamp >= time else { return }
    removals[topic] = TopicRemoval(isFelt: true, whole: .since(time))
    reporter.messagesRemoved(of: topic, places: .max, isLoss: true)
  }

  /// Files are gone that it had not read.
  func noteRemovalsAhead(of topic: Topic) {
    guard memory.entry(of: topic) != nil else { return }
    removals[topic, default: TopicRemoval()].isFelt = true
  }
}
