import SharedRing

/// A subscription of a ``SharedMemoryBus``: reads the ring, keeps what the prefix asks for, and
/// accounts for what was lost.
final class SharedMemorySource: SubscriptionSource {
  private struct State: ~Copyable, Sendable {
    var judge: RingJudge
    /// Messages from before this subscription joined with back pressure, read ahead.
    var history: ArraySlice<Delivery> = []
    /// Where a closed bus's subscription ends.
    var end: UInt64?
  }

  private let ring: RingSubscriber
  private let location: RingLocation
  private let prefix: TopicPrefix
  private let onWarning: (@Sendable (BusWarning) -> Void)?
  /// In the child of a fork the ring is not mapped.
  private let mark = ProcessMark()
  private let state: Lock<State>

  init(
    _ location: RingLocation, _ geometry: RingGeometry, prefix: TopicPrefix,
    options: SubscriptionOptions
  ) throws(BusError) {
    if case .since = options.start { throw .noPast }
    let policy = try options.ringPolicy()
    do throws(RingError) {
      ring = try RingSubscriber(
        location, creating: geometry, policy: policy, label: prefix.name)
    } catch { throw BusError(error, location) }
    self.location = location
    self.prefix = prefix
    onWarning = options.onWarning
    let damage = SharedMemoryStatus.Damage(ring.damage)
    if !damage.isNone { onWarning?(.damagedSegment(reason: damage.description)) }
    state = Lock(
      State(
        judge: RingJudge(from: ring, prefix: prefix, onWarning: options.onWarning)))
    begin()
    if options.start != .now { try readPast(from: options, location, geometry) }
  }

  func drain(
    limit: Int, onGap: (Gap) -> Void, onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) throws(BusError) -> DrainResult {
    try mark.check()
    let result = state.withLock { state in
      var delivered = SharedMemorySource.handOut(
        &state.history, limit: limit, onGap: onGap, onMessage: onMessage)
      // Records that nobody here wants are passed over; a bounded number, so that one call ends
      // even when only others are spoken to.
      for _ in 0..<64 where delivered < limit {
        let read = receive(
          &state, limit: limit - delivered, delivered: &delivered, onGap: onGap,
          onMessage: onMessage)
        if read == 0 || delivered > 0 { break }
      }
      let ended = state.end.map { ring.position >= $0 } ?? false
      return DrainResult(count: delivered, ended: ended)
    }
    // Better an error than to wait for ever, or to have taken what was cut off for a message.
    if ring.isLost || (result.count == 0 && !result.ended && ring.isBlocked) {
      throw BusError(.corrupt, location)
    }
    return result
  }

  var hasLentNonsense: Bool { ring.isLost }

  func park(until deadline: ContinuousClock.Instant?) {
    if !mark.isForked { ring.park(untilNanoseconds: monotonicNanoseconds(deadline)) }
  }

  func wake() { if !mark.isForked { ring.interrupt() } }

  func close() {
    if mark.isForked { return }
    state.withLock { state in
      if state.end == nil { state.end = ring.frontier }
    }
    ring.interrupt()
  }

  func cancel() { ring.leave() }

  var losses: SubscriptionLosses { state.withLock { $0.judge.losses } }

  // MARK: Reading

  /// Reads at most `limit` records; returns how many there were.
  private func receive(
    _ state: inout State, limit: Int, delivered: inout Int, onGap: (Gap) -> Void,
    onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) -> Int {
    if let end = state.end, ring.position >= end { return 0 }
    let end = state.end ?? .max
    let read = ring.receive(limit: limit) { loss in
      state.judge.note(loss)
    } onMessage: { place, body in
      guard place.position < end else { return }
      state.judge.take(place, body, of: ring) { gap in
        onGap(gap)
        delivered += 1
      } onMessage: { view, payload in
        onMessage(view, payload)
        delivered += 1
      }
    }
    state.judge.settle(ring) { gap in
      onGap(gap)
      delivered += 1
    }
    return read
  }

  private static func handOut(
    _ history: inout ArraySlice<Delivery>, limit: Int, onGap: (Gap) -> Void,
    onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) -> Int {
    var handed = 0
    while handed < limit, let delivery = history.popFirst() {
      switch delivery {
      case .envelope(let envelope): envelope.lend(onMessage)
      case .gap(let gap): onGap(gap)
      }
      handed += 1
    }
    return handed
  }

  // MARK: Beginning

  /// Begins behind what was published while the lists were read; they are read anew when the ring
  /// has gone round meanwhile.
  private func begin() {
    state.withLock { state in
      for _ in 0..<8 where !state.judge.passOver(ring, upTo: ring.frontier) {
        ring.seek(to: ring.frontier)
        state.judge = RingJudge(from: ring, prefix: prefix, onWarning: onWarning)
      }
    }
  }

  /// Reads what lies before the place where this subscription begins, with a dropping reader of its
  /// own: what has been overwritten meanwhile is not there any more, and no loss.
  private func readPast(
    from options: SubscriptionOptions, _ location: RingLocation, _ geometry: RingGeometry
  ) throws(BusError) {
    let start = options.start
    let end = ring.position
    let reader = try SharedMemorySource.reader(
      of: location, geometry, options.isReadOnly ? .readOnly : .dropping)
    reader.rewind()
    var past = RingJudge(
      prefix: prefix, laneCount: ring.geometry.laneCount, lists: nil, onWarning: onWarning)
    var history: [Delivery] = []
    var found = start == .beginning
    while reader.position < end {
      let read = reader.receive(limit: 1024) { loss in
        // What was overwritten is simply not there any more.
        if case .damaged = loss { past.note(loss) }
      } onMessage: { place, body in
        guard place.position < end else { return }
        past.take(place, body, of: reader) {
          if found { history.append(.gap($0)) }
        } onMessage: { view, payload in
          if found {
            history.append(.envelope(view.envelope(payload: payload)))
          } else {
            found = start == .after(view.id)
          }
        }
      }
      if read == 0 { break }
    }
    guard found else {
      throw BusError(
        .notFound, "the message to begin behind is not in the ring (any more)",
        hint: "begin with 'now' or 'beginning', or read the topic files")
    }
    let damaged = past.losses.damaged
    state.withLock { state in
      state.history = history[...]
      state.judge.addDamage(damaged)
    }
  }

  private static func reader(
    of location: RingLocation, _ geometry: RingGeometry, _ policy: RingSubscriber.Policy
  ) throws(BusError) -> RingSubscriber {
    do throws(RingError) {
      return try RingSubscriber(
        location, creating: geometry, policy: policy, label: "(reading the past)")
    } catch { throw BusError(error, location) }
  }
}
