import Glibc

extension FileBus {
  /// Publishes a batch of which some messages have idempotency keys: those that are fresh with one
  /// lock and one write, as without keys.
  ///
  /// - Returns: how many of the first are on the bus now, duplicates among them.
  func publishOnce(
    _ messages: [Message], to topic: Topic, wait: PublishWait
  ) throws(PublishFailure) -> Int {
    guard var claim = try claimKeys(of: messages, topic, wait) else { return 0 }
    let fresh = claim.fresh
    guard let first = fresh.first, let firstID = claim.ids[first] else { return messages.count }
    let appender = appender(for: topic)
    var (published, failure) = (0, PublishFailure?.none)
    do throws(PublishFailure) {
      published = try appender.append(wait: wait) { (state) throws(BusError) in
        for (offset, index) in fresh.enumerated() {
          try state.addLine(
            messages[index], counter: firstID.counter &+ UInt64(offset), appender)
        }
      }
      // All or nothing: the lock stayed taken, and nothing was written.
      if published == 0 { for index in fresh { claim.withdraw(index) } }
    } catch {
      published = error.published
      failure = error
    }
    for index in fresh.prefix(published) {
      if let id = claim.ids[index] { claim.confirm(index, id: id) }
    }
    let count = published < fresh.count ? fresh[published] : messages.count
    if let failure { throw PublishFailure(failure.cause, published: count) }
    return count
  }

  private func claimKeys(
    of messages: [Message], _ topic: Topic, _ wait: PublishWait
  ) throws(PublishFailure) -> IdempotencyClaim? {
    do throws(BusError) {
      return try shared.keyIndex().claim(
        messages.map(\.idempotencyKey), topic: topic, wait: wait, wasPublished: wasPublished)
    } catch { throw PublishFailure(error) }
  }

  /// Whether the message of a publisher that died or failed is in the topic's files: the active
  /// one first, then those that were rotated, back to where only older messages are.
  func wasPublished(_ doubt: IdempotencyIndex.Doubt) throws(BusError) -> MessageID? {
    switch try search(TopicFileName(doubt.topic), doubt) {
    case .found(let id): return id
    case .reachedOlder: return nil
    case .reachedBeginning, nil: break
    }
    // What was active and rotated since the search has a number now.
    for number in try TopicHistory.numbers(of: doubt.topic, in: shared.directory).reversed() {
      switch try search(TopicFileName(doubt.topic, number: number), doubt) {
      case .found(let id): return id
      case .reachedOlder: return nil
      case .reachedBeginning, nil: continue
      }
    }
    return nil
  }

  /// Nil when there is no such file.
  private func search(
    _ name: TopicFileName, _ doubt: IdempotencyIndex.Doubt
  ) throws(BusError) -> KeySearch.Outcome? {
    let opened: (descriptor: OwnedDescriptor, status: stat)
    do throws(BusError) {
      opened = try TopicFile.open(name.text, in: shared.directory, flags: O_RDONLY)
    } catch {
      if error.code == .notFound { return nil }
      throw error
    }
    var search = KeySearch(doubt, lineLimit: shared.options.lineLimit)
    let size = UInt64(max(0, opened.status.st_size))
    let outcome = try search.search(opened.descriptor, size: size)
    // Its publisher may have died before it was forced to the disk, which is promised now.
    if case .found = outcome, shared.options.syncPolicy == .everyPublish,
      fdatasync(opened.descriptor.number) != 0
    {
      throw .system("force to the disk", name.text)
    }
    return outcome
  }
}
