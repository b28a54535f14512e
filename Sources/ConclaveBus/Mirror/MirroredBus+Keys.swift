import CShim
import SharedRing

extension MirroredBus {
  /// Publishes a batch of which some messages have idempotency keys: one by one, those that are
  /// fresh.
  ///
  /// Whether the message of a publisher that died is on the bus the files tell, once the mirror has
  /// come to where the ring stands.
  /// - Returns: how many of the first are on the bus now, duplicates among them.
  func publishOnce(
    _ messages: [Message], to topic: Topic, wait: PublishWait
  ) throws(PublishFailure) -> Int {
    let lane: SharedMemoryLane
    var claim: IdempotencyClaim
    do throws(BusError) {
      lane = try shared.openLane()
      for message in messages {
        try Message.checkName(message.sender, role: "sender")
        try Message.checkName(message.type, role: "type")
        try lane.checkSize(message.payload.bytes.count)
      }
      let claimed = try files.shared.keyIndex().claim(
        messages.map(\.idempotencyKey), topic: topic, wait: wait
      ) { (doubt) throws(BusError) in try wasPublished(doubt, lane) }
      guard let claimed else { return 0 }
      claim = claimed
    } catch { throw PublishFailure(error) }
    for index in claim.fresh {
      do throws(PublishFailure) {
        if try publish(messages[index], claim.ids[index], to: topic, lane, wait) {
          if let id = claim.ids[index] { claim.confirm(index, id: id) }
        } else {
          withdraw(&claim, from: index)
          return index
        }
      } catch {
        // Nothing was published of it, so nobody need ask.
        withdraw(&claim, from: index)
        throw PublishFailure(error.cause, published: index)
      }
    }
    return messages.count
  }

  private func withdraw(_ claim: inout IdempotencyClaim, from first: Int) {
    for index in claim.fresh where index >= first { claim.withdraw(index) }
  }

  private func publish(
    _ message: Message, _ id: MessageID?, to topic: Topic, _ lane: SharedMemoryLane,
    _ wait: PublishWait
  ) throws(PublishFailure) -> Bool {
    guard let key = message.idempotencyKey, let id else {
      return try shared.publish([message], to: topic, wait: wait) == 1
    }
    do throws(RingError) {
      return try lane.publish(
        message, key: key, counter: id.counter, to: topic, wait: wait,
        mayBeGivenUp: shared.mayBeGivenUp, cancellation: shared.closing)
    } catch { throw PublishFailure(BusError(error, shared.location)) }
  }

  private func wasPublished(
    _ doubt: IdempotencyIndex.Doubt, _ lane: SharedMemoryLane
  ) throws(BusError) -> MessageID? {
    let end = lane.frontier
    let board = lane.mirrorBoard
    let deadline = conclave_monotonic_ns().addingSaturating(options.patience.nanosecondsSaturated)
    while board.mirrored < end {
      guard conclave_monotonic_ns() < deadline, !shared.closing.isRaised else {
        throw BusError(
          .notDurable,
          "whether the message with the key \(quotedForError(doubt.key.text)) was published "
            + "cannot be said before the mirror has caught up",
          hint: "see what holds it up with conclave bus status, then publish again")
      }
      if board.trouble != nil { conclave_pace_until(conclave_monotonic_ns() + 2_000_000) }
      board.wait(for: end - 1, synced: false, shared.closing)
    }
    return try files.wasPublished(doubt)
  }
}
