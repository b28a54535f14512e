import CShim
import SharedRing

/// What a subscription of a ``MirroredBus`` works on: reads the ring, and the files where the ring
/// has gone on without it. One thread at a time.
///
/// Everything goes by places in the log. Below the board's `mirrored` the files have everything;
/// from there on the ring has, since the mirror holds it. So whoever has read the files up to
/// `mirrored` goes on in the ring at just that position, and whoever is overrun in the ring goes on
/// in the files at the position that was lost: nothing is missing and nothing comes twice.
final class MirroredReading {
  private let shared: FileBusShared
  private let location: RingLocation
  private let geometry: RingGeometry
  private let prefix: TopicPrefix
  private let options: SubscriptionOptions
  let reporter: FileReporter
  private var judge: RingJudge
  /// Reads the ring without back pressure; also lends the board.
  private let ring: RingSubscriber
  let board: RingMirrorBoard
  /// Publishers wait for this one, once it is there; it takes over at its first position.
  private(set) var row: RingSubscriber?
  private var isOnRow = false
  private var isBaseKnown = false
  private var log: LogPhase?
  /// What is older than this time is not wanted below this position of the ring.
  private var leftOut: (time: Timestamp, below: UInt64)?
  /// The ring's position where a closed bus's subscription ends.
  private var end: UInt64?

  /// While the files are being read.
  private struct LogPhase {
    var reader: LogReader
    /// The ring's positions below it have been handed out, or are at hand.
    var limit: UInt64
    /// How far the files must be read at least.
    var least: UInt64
    /// When the mirror was last seen to go on.
    var lastProgress: UInt64
  }

  /// How long to wait for a mirror that does not go on, nanoseconds.
  private static let patience: UInt64 = 2_000_000_000

  init(
    _ shared: FileBusShared, _ location: RingLocation, _ geometry: RingGeometry,
    prefix: TopicPrefix, options: SubscriptionOptions, durable: DurableBeginning? = nil
  ) throws(BusError) {
    self.shared = shared
    self.location = location
    self.geometry = geometry
    self.prefix = prefix
    self.options = options
    reporter = FileReporter(onWarning: options.onWarning, heedless: durable?.deadLetters)
    // Joined only where it takes over, but refused at once.
    _ = try options.ringPolicy()
    ring = try MirroredReading.join(
      location, geometry, options.isReadOnly ? .readOnly : .dropping, prefix)
    board = ring.mirrorBoard
    let damage = SharedMemoryStatus.Damage(ring.damage)
    if !damage.isNone { options.onWarning?(.damagedSegment(reason: damage.description)) }
    judge = RingJudge(from: ring, prefix: prefix, onWarning: options.onWarning)
    learnBase()
    if let durable { try begin(durable) } else { try begin() }
  }

  /// What the log calls the ring's position 0, once the first mirror has said it.
  private func learnBase() {
    guard !isBaseKnown, let base = board.progress.base else { return }
    judge.base = base
    isBaseKnown = true
  }

  private static func join(
    _ location: RingLocation, _ geometry: RingGeometry, _ policy: RingSubscriber.Policy,
    _ prefix: TopicPrefix
  ) throws(BusError) -> RingSubscriber {
    do throws(RingError) {
      return try RingSubscriber(
        location, creating: geometry, policy: policy, label: prefix.name)
    } catch { throw BusError(error, location) }
  }

  private func begin() throws(BusError) {
    let start: LogStart
    var tracker = judge.newcomers
    switch options.start {
    case .now: return try beginNow()
    case .beginning: start = LogStart(whole: .all, owedSince: .now())
    case .since(let time):
      start = LogStart(time: time, whole: .since(time))
      leftOut = (time, ring.frontier)
      // If the time is still to come.
      tracker.newFrom = max(tracker.newFrom, start.whole.incarnation)
    case .after(let id):
      let search = LogSearch(shared: shared, ring: RingSearch(ring: ring, board: board))
      switch try search.start(behind: id, prefix: prefix) {
      case .files(let found): start = found
      case .ring(let position): return try begin(at: position)
      }
    }
    try enterLog(start, least: leastAtFirst, tracker)
  }

  /// Once the log's beginning is known, the ring has what the files do not have yet: nothing is
  /// waited for.
  private var leastAtFirst: UInt64 { isBaseKnown ? 0 : ring.frontier }

  private func begin(at position: UInt64) throws(BusError) {
    try joinRow()
    ring.seek(to: position)
    takeRowIfDue()
  }

  private func begin(_ durable: DurableBeginning) throws(BusError) {
    let log = try DurableLog(shared, ring, board, patience: MirroredReading.patience)
    learnBase()
    var start = LogStart(position: try durable.place(log), withForeign: false)
    start.whole = .from(start.position, base: judge.base)
    // What other members had of the streams by now it need not account for.
    judge = RingJudge(from: ring, base: judge.base, prefix: prefix, onWarning: options.onWarning)
    try enterLog(start, least: leastAtFirst, judge.newcomers)
  }

  /// Begins behind what was published while the lists were read; they are read anew when the ring
  /// has gone round meanwhile, since what they do not have would be taken for lost.
  private func beginNow() throws(BusError) {
    for attempt in 0..<8 {
      try joinRow()
      let start = row?.position ?? ring.frontier
      if judge.passOver(ring, upTo: start) || attempt == 7 { break }
      row.take()?.leave()
      ring.seek(to: ring.frontier)
      judge = RingJudge(from: ring, base: judge.base, prefix: prefix, onWarning: options.onWarning)
    }
    takeRowIfDue()
  }

  private func awaitMirror(upTo position: UInt64) {
    let deadline = conclave_monotonic_ns() + MirroredReading.patience
    while board.mirrored < position, board.trouble == nil, conclave_monotonic_ns() < deadline {
      board.wait(for: position - 1, synced: false, nil)
    }
  }

  // MARK: Delivering

  var losses: SubscriptionLosses {
    var sum = judge.losses
    let files = reporter.losses
    sum.lostMessages = sum.lostMessages.addingSaturating(files.lostMessages)
    sum.gaps += files.gaps
    sum.damaged += files.damaged
    sum.removals += files.removals
    return sum
  }

  /// The ring's position up to which everything was handed out, or is at hand in the files.
  private var position: UInt64 {
    if let log { return log.reader.hasBacklog ? 0 : log.limit }
    return current.position
  }

  private var current: RingSubscriber { isOnRow ? row ?? ring : ring }

  /// Whether the segment was cut off, so that what was read of it may be nonsense.
  var isLost: Bool { current.isLost }

  func close() { end = end ?? ring.frontier }

  func leave() {
    ring.leave()
    row?.leave()
  }

  func interrupt() {
    ring.interrupt()
    row?.interrupt()
    board.wake()
  }

  /// As ``SubscriptionSource/drain(limit:onGap:onMessage:)``.
  func drain(
    limit: Int, onGap: (Gap) -> Void, onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) throws(BusError) -> DrainResult {
    learnBase()
    var delivered = 0
    // A bounded number of rounds, so that one call ends even when only others are spoken to.
    for _ in 0..<64 where delivered < limit {
      let before = delivered
      let wasInLog = log != nil
      let read =
        wasInLog
        ? try readLog(limit - before, &delivered, onGap, onMessage)
        : try readRing(limit - before, &delivered, onGap, onMessage)
      if !wasInLog, log == nil, delivered > before { break }
      if !read, wasInLog == (log != nil) { break }
    }
    let ended = end.map { position >= $0 } ?? false
    if isLost || (delivered == 0 && !ended && log == nil && current.isBlocked) {
      throw BusError(.corrupt, location)
    }
    return DrainResult(count: delivered, ended: ended)
  }

  // MARK: The ring

  /// - Returns: whether there was anything.
  private func readRing(
    _ limit: Int, _ delivered: inout Int, _ onGap: (Gap) -> Void,
    _ onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) throws(BusError) -> Bool {
    let ring = current
    let stop = min(end ?? .max, isOnRow ? .max : row?.position ?? .max)
    guard ring.position < stop else { return false }
    var overrun: RingLoss?
    let heals = !isOnRow
    let read = ring.receive(limit: Int(min(UInt64(limit), stop - ring.position))) { loss in
      if overrun != nil { return }
      if heals, loss.isOverrun {
        overrun = loss
      } else if case .headless(let position) = loss, !heals {
        delivered += deliverFromLog(position, onGap, onMessage)
      } else {
        judge.note(loss)
      }
    } onMessage: { place, body in
      // Once something is missing the rest comes after it.
      if overrun != nil { return }
      judge.take(place, body, of: ring) { gap in
        onGap(gap)
        delivered += 1
      } onMessage: { view, payload in
        if let leftOut, place.position < leftOut.below, view.timestamp < leftOut.time { return }
        onMessage(view, payload)
        delivered += 1
      }
    }
    judge.settle(ring) { gap in
      onGap(gap)
      delivered += 1
    }
    if let overrun { try heal(overrun) } else { takeRowIfDue() }
    return read > 0
  }

  /// Hands out a large message whose beginning lies before the place where the row begins: from the
  /// files, where it will be as soon as the mirror has come to its end.
  ///
  /// - Returns: how many deliveries there were.
  private func deliverFromLog(
    _ position: UInt64, _ onGap: (Gap) -> Void,
    _ onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) -> Int {
    learnBase()
    awaitMirror(upTo: position + 1)
    guard isBaseKnown, board.mirrored > position else { return 0 }
    let place = judge.base &+ position
    let reader = LogReader(
      shared, prefix: prefix, start: LogStart(position: place, withForeign: false),
      tracker: judge.leaveRing(), reporter: reporter)
    defer { judge.returnToRing(reader.tracker) }
    do throws(BusError) {
      try reader.look(below: place + 1)
      // The message, and perhaps a gap before it.
      return try reader.deliver(below: place + 1, limit: 2, onGap: onGap, onMessage: onMessage)
    } catch {
      // Its number is missing, which the stream's next message tells.
      return 0
    }
  }

  /// Goes on in the files where the ring was lost; or behind it, when they do not have it.
  private func heal(_ loss: RingLoss) throws(BusError) {
    guard let lost = loss.positions else { return }
    let isToCome: Bool = if case .headless = loss { true } else { false }
    guard isBaseKnown, isToCome || board.mirrored > lost.lowerBound else {
      return passOver(loss)
    }
    try enterLog(
      LogStart(position: judge.base &+ lost.lowerBound, withForeign: false),
      least: lost.lowerBound + 1, judge.leaveRing())
  }

  private func passOver(_ loss: RingLoss) {
    judge.note(loss)
    if let positions = loss.positions { ring.seek(to: positions.upperBound) }
  }

  /// From its first position on the row reads, for which publishers wait.
  private func takeRowIfDue() {
    guard let row, !isOnRow, log == nil, ring.position >= row.position else { return }
    row.resume(ring.openChains)
    ring.leave()
    isOnRow = true
  }

  private func joinRow() throws(BusError) {
    guard case .backPressure = options.policy, row == nil else { return }
    row = try MirroredReading.join(location, geometry, options.ringPolicy(), prefix)
  }

  // MARK: The files

  private func enterLog(
    _ start: LogStart, least: UInt64, _ tracker: consuming SequenceTracker
  ) throws(BusError) {
    let reader = LogReader(
      shared, prefix: prefix, start: start, tracker: tracker, reporter: reporter)
    // Who begins behind all that is mirrored must not come back to that.
    let first = isBaseKnown ? start.position - min(start.position, judge.base) : 0
    let limit = max(min(board.mirrored, row?.position ?? .max), first)
    try reader.look(below: judge.base &+ limit)
    log = LogPhase(
      reader: reader, limit: limit, least: least, lastProgress: conclave_monotonic_ns())
  }

  /// - Returns: whether there was anything to do.
  private func readLog(
    _ limit: Int, _ delivered: inout Int, _ onGap: (Gap) -> Void,
    _ onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) throws(BusError) -> Bool {
    guard let phase = log else { return false }
    let count = try phase.reader.deliver(
      below: judge.base &+ phase.limit, limit: limit, onGap: onGap, onMessage: onMessage)
    delivered += count
    if phase.reader.hasBacklog { return true }
    if let end, phase.limit >= end { return count > 0 }
    if try leaveLogIfDue() { return true }
    return try lookOn() || count > 0
  }

  /// Looks at what the mirror has written meanwhile.
  ///
  /// - Returns: whether it has.
  private func lookOn() throws(BusError) -> Bool {
    guard let phase = log else { return false }
    // Not beyond where the row begins to read, once it is there.
    let mirrored = min(board.mirrored, end ?? .max, row?.position ?? .max)
    guard mirrored > phase.limit else { return false }
    log?.limit = mirrored
    log?.lastProgress = conclave_monotonic_ns()
    try phase.reader.look(below: judge.base &+ mirrored)
    return true
  }

  /// Goes on in the ring if the files were read far enough, and the ring still has what follows.
  private func leaveLogIfDue() throws(BusError) -> Bool {
    guard let phase = log else { return false }
    let isStuck =
      conclave_monotonic_ns() &- phase.lastProgress > MirroredReading.patience
      || board.trouble != nil
    let isAtRow = row.map { phase.limit >= $0.position } ?? false
    guard phase.limit >= phase.least || isStuck || isAtRow,
      board.mirrored <= phase.limit || isNear(phase) || isAtRow
    else { return false }
    try joinRow()
    judge.returnToRing(phase.reader.tracker, phase.reader.removals)
    ring.seek(to: phase.limit)
    log = nil
    takeRowIfDue()
    return true
  }

  private func isNear(_ phase: LogPhase) -> Bool {
    let frontier = ring.frontier
    return frontier <= phase.limit
      || frontier - phase.limit < UInt64(ring.geometry.slotCount) / 2
  }

  // MARK: Waiting

  /// What to sleep on: the ring, or the board until it is past a position; nil when there is
  /// something to do.
  enum Sleep {
    case ring(RingSubscriber)
    case board(past: UInt64)
  }

  var sleep: Sleep? {
    guard let log else { return .ring(current) }
    if log.reader.hasBacklog || board.mirrored > log.limit || log.limit >= log.least { return nil }
    return .board(past: log.limit)
  }
}
