import CShim
import SharedRing

/// One member of a durable subscription: claims messages, hands them out, and takes what comes
/// back. Used by one thread at a time.
///
/// A member reads the whole log by itself, ahead. Under the group's lock it throws away what others
/// have claimed meanwhile, and claims the next run of what it has: the log is divided without a
/// hole and without a duplicate because the group's `next` only rises, and each claim is the one
/// line of the journal that raises it.
final class DurableMember {
  /// A message on its way to the consumer.
  struct Pending {
    var envelope: Envelope
    var position: UInt64
    var gaps: [Gap]
    var attempt = 1
  }

  let bus: MirroredBus
  let group: DurableGroup
  let log: DurableLog
  let options: DurableOptions
  let reading: Subscription
  /// Read, but not claimed; rising.
  private var unclaimed: [Pending] = []
  /// Claimed, to be handed out; the next one last.
  var ready: [Pending] = []
  var hand = DurableHand()
  /// Free messages that were read again.
  var reread = DurableReread()
  /// Claimed, to be given up.
  var burials: [UInt64: DurableBurial] = [:]
  /// Everything before it has been claimed, as far as this member knows.
  private var claimed: UInt64
  /// Found missing; said with the next message.
  private var gaps: [Gap] = []
  private var lastSweep: UInt64 = 0
  private let deadLetters: [UInt8]

  /// How often dead members are looked for.
  private static let sweepNanoseconds: UInt64 = 50_000_000

  init(
    _ bus: MirroredBus, _ group: DurableGroup, _ log: DurableLog, _ reading: Subscription,
    options: DurableOptions
  ) {
    self.bus = bus
    self.group = group
    self.log = log
    self.reading = reading
    self.options = options
    claimed = group.state.next
    deadLetters = Array(group.name.deadLetters.name.utf8)
  }

  // MARK: Handing out

  /// The next delivery of those that are claimed.
  func takeReady() -> DurableDelivery? {
    guard let next = ready.popLast() else { return nil }
    let number = hand.add(next.position, next.envelope.id)
    return DurableDelivery(
      envelope: next.envelope, attempt: next.attempt, gaps: next.gaps, number: number,
      position: next.position)
  }

  /// How many places it holds.
  var held: Int { hand.count + ready.count + burials.count }

  /// Whether it has as much as it may have.
  var isFull: Bool { room <= 0 }

  private var room: Int { max(1, options.unacknowledgedLimit) - held }

  /// Whether something may come without a message being published: then it must be looked for.
  var mustLook: Bool {
    !group.state.free.isEmpty || group.state.heldCount > held || !burials.isEmpty
  }

  /// Whether nothing will come any more.
  var isExhausted: Bool { reading.isEnded && ready.isEmpty && unclaimed.isEmpty }

  // MARK: Claiming

  /// What a look at the state led to.
  enum Step {
    /// Something was claimed, or there is nothing.
    case done
    /// Others have claimed what was at hand: there may be more.
    case stale
    /// These are free, and must be read before they are claimed.
    case readAgain([UInt64])
    /// This is free, but not in the files yet.
    case awaitMirror(UInt64)
    case bury
  }

  /// Claims messages if there are any. Does not wait for messages.
  ///
  /// - Parameter wait: for the group's lock, and for room for a dead letter.
  /// - Throws: as ``DurableGroup/transact(_:_:)``; `system`, `corrupt` of the log.
  func fill(_ wait: PublishWait) throws(BusError) {
    try bury(wait)
    var mayAwait = wait == .blocking
    // Bounded, so that one call ends whatever the others do.
    for _ in 0..<64 where ready.isEmpty {
      if !isFull { try collect() }
      let now = conclave_monotonic_ns()
      let isSweep = now &- lastSweep >= DurableMember.sweepNanoseconds
      guard isSweep || !isFull && (!unclaimed.isEmpty || !group.state.free.isEmpty) else { return }
      let step = try group.transact(wait) { (journal) throws(BusError) in
        if isSweep { try sweep(journal, now) }
        return try claim(journal, now, mayAwait: mayAwait)
      }
      guard let step else { return }
      if isSweep { lastSweep = now }
      switch step {
      case .done: return
      case .stale: continue
      case .readAgain(let positions): try readAgain(positions)
      case .awaitMirror(let position):
        mayAwait = false
        log.board.wait(for: position &- log.base, synced: false, nil)
      case .bury: try bury(wait)
      }
    }
  }

  /// Reads ahead, as much as is claimed at a time.
  private func collect() throws(BusError) {
    let wanted = options.claimSize
    for _ in 0..<64 where unclaimed.count < wanted {
      let count = try reading.drain(limit: wanted - unclaimed.count) { gap in
        gaps.append(gap)
      } onMessage: { view, payload in
        // Its own dead letters would come back to it for ever.
        guard let position = view.position, position >= claimed,
          unsafe !view.topicBytes.elementsEqual(deadLetters)
        else { return }
        unclaimed.append(
          Pending(envelope: view.envelope(payload: payload), position: position, gaps: gaps))
        gaps = []
      }
      if count == 0 { return }
    }
  }

  private func claim(
    _ journal: DurableJournal, _ now: UInt64, mayAwait: Bool
  ) throws(BusError) -> Step {
    claimed = journal.state.next
    let hadSome = !unclaimed.isEmpty
    dropStale()
    if isFull { return .done }
    if let step = try claimFree(journal, now, mayAwait: mayAwait) { return step }
    if unclaimed.isEmpty { return hadSome ? .stale : .done }
    let run = unclaimed.prefix(min(options.claimSize, room))
    try journal.append([
      .take(
        DurableEntry.Take(
          next: (run.last?.position ?? 0).addingSaturating(1), holder: group.slot, attempts: 1,
          since: now, positions: PositionList(run.lazy.map(\.position))))
    ])
    claimed = journal.state.next
    ready = run.reversed()
    unclaimed.removeFirst(run.count)
    return .done
  }

  private func dropStale() {
    let first = unclaimed.firstIndex { $0.position >= claimed } ?? unclaimed.count
    guard first > 0 else { return }
    // What was found missing is said by who found it, whoever has the message behind it.
    let orphaned = unclaimed[..<first].flatMap(\.gaps)
    unclaimed.removeFirst(first)
    if unclaimed.isEmpty {
      gaps = orphaned + gaps
    } else {
      unclaimed[0].gaps = orphaned + unclaimed[0].gaps
    }
  }
}
