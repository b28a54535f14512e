extension DurableMember {
  /// These are done with. Whoever has them: who acknowledges late has done the work all the same.
  ///
  /// - Returns: how many of them were still to be acknowledged; nil only with
  ///   ``PublishWait/never``.
  func acknowledge(_ positions: [UInt64], _ wait: PublishWait) throws(BusError) -> Int? {
    let count = try group.transact(wait) { (journal) throws(BusError) in
      let open = positions.filter { journal.state.items[$0] != nil }
      if MirrorDefect.isPlanted(.forgetsAcknowledgements) { return open.count }
      if !open.isEmpty { try journal.append([.done(PositionList(open))]) }
      return open.count
    }
    guard let count else { return nil }
    for position in positions { hand.remove(position) }
    return count
  }

  /// Gives one back, to be delivered again, or given up when it was the last attempt.
  ///
  /// - Returns: whether this member still had it.
  func reject(
    _ delivery: DurableDelivery, _ reason: String, _ wait: PublishWait
  ) throws(BusError) -> Bool? {
    let position = delivery.position
    let isLast = delivery.attempt >= options.boundedRetryLimit
    let isOurs = try group.transact(wait) { (journal) throws(BusError) in
      guard let item = journal.state.items[position], item.holder == group.slot,
        item.attempts == delivery.attempt, hand.holds(position)
      else { return false }
      if !isLast {
        try journal.append([
          .release([position], attempts: item.attempts, in: journal.state)
        ])
      }
      return true
    }
    guard let isOurs else { return nil }
    hand.remove(position)
    guard isOurs else { return false }
    if isLast {
      addBurial(position, delivery.attempt, reason, delivery.envelope)
      try bury(wait)
    } else {
      reread.envelopes[position] = delivery.envelope
    }
    return true
  }

  /// Gives everything back. What was not handed out has not been delivered.
  func leave() {
    guard let slot = group.slot else { return }
    // Where it cannot be written, it is as if this member had died.
    _ = try? group.transact(.blocking) { (journal) throws(BusError) in
      var entries: [DurableEntry] = []
      for (attempt, pending) in Dictionary(grouping: ready, by: \.attempt) {
        let held = pending.map(\.position).filter { journal.state.items[$0]?.holder == slot }
        guard !held.isEmpty else { continue }
        entries.append(.release(held.sorted(), attempts: attempt - 1, in: journal.state))
      }
      try journal.append(entries + [.leave(slot: slot)])
    }
    ready = []
    group.giveSlotBack()
    reading.cancel()
  }
}
