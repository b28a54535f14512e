import SharedRing

/// Judges the records of a ring for one subscription: which of them are wanted, whether each has
/// the next number of its stream, and what is lost.
struct RingJudge: ~Copyable, Sendable {
  private var table: LaneTable
  private var ledger: LossLedger
  private(set) var losses = SubscriptionLosses()
  private let prefix: TopicPrefix
  private let onWarning: (@Sendable (BusWarning) -> Void)?
  /// Added to a position in the ring: its place in the log. 0 where there is no log.
  var base: UInt64 = 0 { didSet { removals.base = base } }
  /// Incarnations from this on are younger than the subscription.
  private let beganAt = ProcessIdentity.newIncarnation()
  /// What was delivered otherwise than from the ring, by stream.
  private var elsewhere: SequenceTracker?
  /// What retention kept the other reader from having.
  private var removals = RingRemovals()

  /// - Parameter lists: as ``LossLedger/init(base:)``.
  init(
    prefix: TopicPrefix, laneCount: Int, lists: [RingStreams]?,
    onWarning: (@Sendable (BusWarning) -> Void)?
  ) {
    table = LaneTable(laneCount: laneCount, prefix: prefix)
    ledger = LossLedger(base: lists)
    self.prefix = prefix
    self.onWarning = onWarning
  }

  /// From now on: with the lists as they are.
  init(
    from ring: RingSubscriber, base: UInt64 = 0, prefix: TopicPrefix,
    onWarning: (@Sendable (BusWarning) -> Void)?
  ) {
    self.init(
      prefix: prefix, laneCount: ring.geometry.laneCount, lists: ring.streams(),
      onWarning: onWarning)
    self.base = base
  }

  /// Judges one record: whether it is wanted, and whether its number is the next of its stream.
  @inline(__always)
  mutating func take(
    _ place: RingPlace, _ body: RawSpan, of ring: RingSubscriber, onGap: (Gap) -> Void,
    onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) {
    guard let head = RecordHead.read(body) else {
      noteDamage(place.position, "its numbers make no sense")
      return
    }
    unsafe body.withUnsafeBytes { bytes in
      let names = unsafe UnsafeRawBufferPointer(
        rebasing: bytes[RecordHead.fixedBytes..<RecordHead.fixedBytes + head.namesLength])
      guard let start = names.baseAddress else { return }
      let entry = unsafe table.entry(
        lane: place.lane, incarnation: place.incarnation, head, names: start)
      guard unsafe entry.pointee.isWanted else { return }
      if unsafe !entry.pointee.isKnown {
        unsafe entry.pointee.isKnown = true
        unsafe entry.pointee.last = lastUnseen(place, head, entry.pointee)
      }
      let last = unsafe entry.pointee.last
      guard head.seq > last else {
        noteDamage(place.position, "its number came before")
        return
      }
      unsafe entry.pointee.last = head.seq
      let stream = unsafe entry.pointee.stream
      let view = unsafe EnvelopeView(
        unsafeStream: stream, topicLength: head.topicLength,
        rest: UnsafeRawBufferPointer(
          start: start + stream.count, count: head.typeLength + head.keyLength),
        keyLength: head.keyLength,
        id: MessageID(process: head.process, counter: head.counter), seq: head.seq,
        timestamp: Timestamp(nanosecondsSinceEpoch: head.timestamp),
        incarnation: place.incarnation, position: base &+ place.position)
      if head.seq != last + 1 {
        let topic = view.topic
        let gap = Gap(
          sender: view.sender, topic: topic, process: head.process,
          incarnation: place.incarnation, seq: last + 1...head.seq - 1,
          reason: removals.reason(topic))
        report(gap, of: ring, onGap)
      }
      let payload = unsafe UnsafeRawBufferPointer(rebasing: bytes[head.payloadOffset...])
      unsafe onMessage(view, payload.bytes)
    }
  }

  /// The number of a stream that is seen here for the first time up to which it is accounted for.
  private func lastUnseen(
    _ place: RingPlace, _ head: RecordHead.Fields, _ entry: LaneTable.Entry
  ) -> UInt64 {
    guard let elsewhere else {
      return ledger.base(lane: place.lane, incarnation: place.incarnation, head)
    }
    let stream = unsafe SequenceTracker.Stream(
      process: head.process, incarnation: place.incarnation, sender: entry.sender,
      topic: entry.topic)
    if let expected = elsewhere.expected(in: stream), expected > 0 {
      return min(expected - 1, head.seq - 1)
    }
    if elsewhere.hasForgotten { return head.seq - 1 }
    if unsafe isWhole(entry.topic, place.incarnation) { return 0 }
    return ledger.base(
      lane: place.lane, incarnation: place.incarnation, head,
      isNew: place.incarnation >= elsewhere.newFrom)
  }

  private func isWhole(_ topic: UnsafeRawBufferPointer, _ incarnation: UInt64) -> Bool {
    guard !removals.isEmpty else { return false }
    let name = unsafe String(decoding: topic, as: UTF8.self)
    return (try? Topic(name)).map { removals.isWhole($0, incarnation) } ?? false
  }

  // MARK: Beginning

  /// Passes over what was published while the lists were read, so that they and the place where
  /// the subscription begins fit together.
  ///
  /// - Returns: whether it has seen all up to `position`. If not, the lists are too old: what they
  ///   do not have would be taken for lost.
  mutating func passOver(_ ring: RingSubscriber, upTo position: UInt64) -> Bool {
    var isWhole = true
    while ring.position < position {
      let left = Int(min(position - ring.position, 1024))
      let read = ring.receive(limit: left) {
        switch $0 {
        case .lapped, .overwritten: isWhole = false
        case .headless, .abandoned: break
        case .damaged: note($0)
        }
      } onMessage: { place, body in
        take(place, body, of: ring, onGap: { _ in }, onMessage: { _, _ in })
      }
      if read == 0 { break }
    }
    return isWhole
  }

  // MARK: Elsewhere

  /// What a reader of other places must know of the streams, to go on where the ring was left.
  mutating func leaveRing() -> SequenceTracker {
    var tracker = elsewhere ?? newcomers
    if !tracker.hasForgotten {
      // How far the streams had come when the subscription began, or all was last settled.
      ledger.forEachBase(wanted: prefix) {
        if tracker.expected(in: $0) == nil { tracker.expect($1 + 1, in: $0) }
      }
    }
    table.forEachKnown { stream, entry in
      tracker.expect(entry.last.addingSaturating(1), in: stream)
    }
    elsewhere = nil
    return tracker
  }

  /// For a reader that is to have every stream that is younger than the subscription.
  var newcomers: SequenceTracker {
    var tracker = SequenceTracker()
    tracker.newFrom = beganAt
    return tracker
  }

  /// Goes on in the ring where the other reader has stopped.
  ///
  /// - Parameter removals: what retention kept the other reader from having.
  mutating func returnToRing(
    _ tracker: consuming SequenceTracker, _ removals: [Topic: TopicRemoval] = [:]
  ) {
    if !removals.isEmpty {
      self.removals.add(removals)
      ledger.noteRemoval()
    }
    table.forEachKnown { stream, entry in
      if let expected = tracker.expected(in: stream), expected > 0 {
        entry.last = max(entry.last, expected - 1)
      }
    }
    elsewhere = tracker
  }

  // MARK: Losses

  mutating func note(_ loss: RingLoss) {
    switch loss {
    case .lapped, .overwritten: noteEpisode()
    case .headless: break
    case .damaged(let position): noteDamage(position, "its header makes no sense")
    case .abandoned(_, let beginning):
      losses.abandoned += 1
      // The message's end is missing, so its head is read with a stand-in for the payload.
      let head = unsafe RecordHead.read((beginning + [0]).span.bytes)
      onWarning?(.abandonedMessage(process: head?.process ?? 0))
    }
  }

  /// Call it whenever the subscription has read on: see ``LossLedger``.
  mutating func settle(_ ring: RingSubscriber, _ onGap: (Gap) -> Void) {
    var gaps: [Gap] = []
    ledger.settle(
      at: ring.position, ring, table, elsewhere: &elsewhere, removals, wanted: prefix
    ) { gaps.append($0) }
    if ledger.isSettled { removals.settle() }
    for gap in gaps { report(gap, of: ring, onGap) }
  }

  /// Adds what another reader found damaged.
  mutating func addDamage(_ count: UInt64) { losses.damaged += count }

  /// Warns of the first few, then ever more rarely: a ring full of nonsense has 65,536 of them.
  private mutating func noteDamage(_ position: UInt64, _ reason: String) {
    losses.damaged += 1
    let count = losses.damaged
    guard count <= 8 || count.nonzeroBitCount == 1 else { return }
    onWarning?(.damagedRecord(position: position, reason: reason))
  }

  private mutating func noteEpisode() {
    guard ledger.noteLoss() else { return }
    losses.episodes += 1
    onWarning?(.overrun)
  }

  private mutating func report(_ gap: Gap, of ring: RingSubscriber, _ onGap: (Gap) -> Void) {
    losses.noteGap(of: gap.count)
    ring.noteLost(gap.count)
    onGap(gap)
  }
}
