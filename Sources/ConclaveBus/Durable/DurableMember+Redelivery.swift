import CShim

/// Messages whose members are gone, as they were read again from the files.
struct DurableReread {
  var envelopes: [UInt64: Envelope] = [:]
  /// They are not in the files any more.
  var missing: Set<UInt64> = []

  func knows(_ position: UInt64) -> Bool {
    envelopes[position] != nil || missing.contains(position)
  }

  mutating func remove(_ position: UInt64) -> Envelope? {
    missing.remove(position)
    return envelopes.removeValue(forKey: position)
  }
}

/// A message on its way to the dead letters.
struct DurableBurial {
  var letter: DeadLetter
  var isPublished = false
  /// Not before this moment.
  var due: UInt64 = 0
}

extension DurableMember {
  /// How many free messages are read at a time, from how many places.
  private static let readAgainLimit = (messages: 256, places: UInt64(4096))
  private static let burialPause: UInt64 = 100_000_000

  /// What members had that are gone, or have had it too long, is free.
  func sweep(_ journal: DurableJournal, _ now: UInt64) throws(BusError) {
    var entries = group.dead(in: journal.state).map { DurableEntry.leave(slot: $0) }
    if let limit = options.redeliverAfter {
      let latest = now - min(now, UInt64(max(0, limit.nanoseconds)))
      var late: [Int: [UInt64]] = [:]
      for (position, item) in journal.state.items
      where item.holder != nil && item.since <= latest && burials[position] == nil {
        late[item.attempts, default: []].append(position)
      }
      for (attempts, positions) in late {
        entries.append(.release(positions.sorted(), attempts: attempts, in: journal.state))
      }
    }
    try journal.append(entries)
  }

  /// Claims the first free message, one at a time: so an attempt counts when it is made, and those
  /// that lie near a message which kills its members do not count with it.
  ///
  /// - Returns: nil when none can be claimed now.
  func claimFree(
    _ journal: DurableJournal, _ now: UInt64, mayAwait: Bool
  ) throws(BusError) -> Step? {
    let state = journal.state
    let end = log.mirrored
    guard let position = state.free.last(where: { reread.knows($0) || $0 < end }),
      let item = state.items[position]
    else {
      guard mayAwait, let first = state.free.last, first >= log.base else { return nil }
      return .awaitMirror(first)
    }
    guard reread.knows(position) else {
      let readable = state.free.reversed().drop { $0 < position }
        .prefix { $0 < end && $0 - position < DurableMember.readAgainLimit.places }
      return .readAgain(Array(readable.prefix(DurableMember.readAgainLimit.messages)))
    }
    let isLast =
      item.attempts >= options.boundedRetryLimit || reread.missing.contains(position)
    let attempts = isLast ? item.attempts : item.attempts + 1
    try journal.append([
      .take(
        DurableEntry.Take(
          next: state.next, holder: group.slot, attempts: attempts, since: now,
          positions: PositionList([position])))
    ])
    let envelope = reread.remove(position)
    if !isLast, let envelope {
      ready = [Pending(envelope: envelope, position: position, gaps: [], attempt: attempts)]
      return .done
    }
    let reason =
      envelope == nil
      ? "it was not acknowledged, and is not in the files any more"
      : "not acknowledged after \(attempts) \(attempts == 1 ? "attempt" : "attempts")"
    addBurial(position, attempts, reason, envelope)
    return .bury
  }

  func readAgain(_ positions: [UInt64]) throws(BusError) {
    reread.envelopes = try log.read(positions, reading.prefix)
    reread.missing = Set(positions.filter { reread.envelopes[$0] == nil })
  }

  // MARK: Giving up

  func addBurial(_ position: UInt64, _ attempts: Int, _ reason: String, _ envelope: Envelope?) {
    burials[position] = DurableBurial(
      letter: DeadLetter(
        name: group.name, position: position, attempts: attempts, reason: reason,
        envelope: envelope))
  }

  /// Publishes dead letters and then acknowledges what they stand for: whoever dies in between
  /// leaves a second letter to his successor, and never none.
  func bury(_ wait: PublishWait) throws(BusError) {
    let now = conclave_monotonic_ns()
    for (position, burial) in burials where burial.due <= now {
      do throws(BusError) {
        if !burial.isPublished {
          guard try bus.publish(burial.letter, wait: wait) else { continue }
          burials[position]?.isPublished = true
          options.onWarning?(
            .deadLettered(
              name: group.name.text, id: burial.letter.id, reason: burial.letter.reason))
        }
        if try acknowledge([position], wait) != nil { burials[position] = nil }
      } catch {
        if error.code == .corrupt || error.code == .notFound { throw error }
        burials[position]?.due = conclave_monotonic_ns() + DurableMember.burialPause
        options.onWarning?(.deadLetterFailed(name: group.name.text, reason: error.message))
      }
    }
  }
}

extension DurableEntry {
  /// Nobody has these any more.
  static func release(
    _ positions: [UInt64], attempts: Int, in state: DurableState
  ) -> DurableEntry {
    .take(
      Take(
        next: state.next, holder: nil, attempts: attempts, since: 0,
        positions: PositionList(positions)))
  }
}
