import CShim
import Glibc
import SharedRing

/// One term of office as a bus's mirror: drains the ring into the topic files, in the ring's total
/// order, many messages per lock and write. Used by one thread.
///
/// Exactly once, wherever it dies. It commits each batch in this order: the files, the beginnings
/// of large messages, the board's `mirrored`, and only then the ring's records. So its successor,
/// which takes over its row, finds every record from `mirrored` on still in the ring; and which of
/// them are in the files the files themselves say, since places rise along each of them.
final class Mirror {
  let options: MirrorOptions
  let board: RingMirrorBoard
  let ring: RingSubscriber
  var intake: MirrorIntake
  private var chains: MirrorChains
  /// Where the ring's records begin that are not committed.
  private var committed: UInt64
  /// Where those begin that are not synced, or not known to be.
  private var synced: UInt64
  /// The place from which on the mirrors before this one wrote what they did not sync; nil once
  /// that is done.
  private var inheritedFrom: UInt64?
  private var lastSync = conclave_monotonic_ns()
  private var group = SyncGroup()
  private var pace = MirrorPace()
  /// What was appended but not said on the board yet.
  private var written = MirrorCount()
  var failure = MirrorFailure()
  private let stop: RingCancellation

  /// Records and bytes that are read between two commits, unless there is less: enough to make
  /// locks and calls cheap, little enough that publishers always find room.
  private static let batch = (records: 1024, bytes: 512 << 10)

  /// Takes over from the last mirror, or begins.
  ///
  /// - Parameter stop: ends ``run()`` when it is raised.
  /// - Throws: `busy` when another bus has used the directory meanwhile; what joining the ring and
  ///   opening files throws.
  init(
    bus: FileBus, location: RingLocation, options: MirrorOptions, until stop: RingCancellation
  ) throws(BusError) {
    self.options = options
    self.stop = stop
    do throws(RingError) {
      ring = try RingSubscriber(
        location, creating: options.shared.geometry,
        policy: .mirror(
          timeoutNanoseconds: options.patience.nanosecondsSaturated,
          keepNanoseconds: max(1, options.successionPatience.nanosecondsSaturated)),
        label: Mirror.label)
    } catch { throw BusError(error, location) }
    board = ring.mirrorBoard
    do throws(BusError) {
      let base = try Mirror.base(board, bus)
      intake = MirrorIntake(
        bus: bus, base: base, frontier: ring.frontier, laneCount: ring.geometry.laneCount)
      chains = try MirrorChains(in: bus.shared.directory, generation: ring.generation)
      committed = ring.isSuccessor ? ring.position : min(board.mirrored, ring.position)
      synced = min(board.progress.synced, committed)
      inheritedFrom = synced < committed ? base &+ synced : nil
      let open = try chains.recover(below: committed, limit: ring.geometry.messageLimit)
      if ring.isSuccessor { ring.resume(open) } else { try readPast(open, location) }
    } catch {
      // The next one must find what this one has found.
      ring.abandon(keepNanoseconds: options.successionPatience.nanosecondsSaturated)
      throw error
    }
    // What the last one could not write this one may: publishers that give up while there is
    // trouble would otherwise never bring it anything to try.
    if board.trouble != 0 { board.setTrouble(0) }
  }

  /// What its subscription is called in the segment.
  static let label = "(mirror)"

  /// Where the log continues with a segment that was never mirrored: behind all that is there.
  private static func base(_ board: RingMirrorBoard, _ bus: FileBus) throws(BusError) -> UInt64 {
    if let base = board.progress.base { return base }
    let directory = bus.shared.directory
    var next: UInt64 = 0
    for topic in try TopicHistory(in: directory).topics.keys {
      do throws(BusError) {
        if let last = try TopicFile.lastPosition(of: topic, in: directory) {
          next = max(next, last.addingSaturating(1))
        }
      } catch {
        // What cannot be used as a topic file holds no place of ours.
        guard error.code == .incompatible || error.code == .permissionDenied else { throw error }
      }
    }
    return board.setBase(try MirrorBase.raise(to: next, in: directory))
  }

  /// What was published while nobody mirrored, as far as the ring still has it.
  private func readPast(_ open: [RingChain], _ location: RingLocation) throws(BusError) {
    let end = ring.position
    guard committed < end else { return }
    let reader: RingSubscriber
    do throws(RingError) {
      reader = try RingSubscriber(
        location, creating: options.shared.geometry, policy: .dropping, label: Mirror.label)
    } catch { throw BusError(error, location) }
    reader.rewind()
    if reader.position > committed {
      skip(committed..<reader.position, "the ring went round while nobody mirrored")
    }
    reader.seek(to: max(reader.position, committed))
    reader.resume(open)
    while reader.position < end {
      let limit = Int(min(end - reader.position, UInt64(Mirror.batch.records)))
      let start = reader.position
      var lost: (hull: Range<UInt64>, count: Int)?
      let read = reader.receive(limit: limit) { loss in
        guard let positions = loss.positions?.clamped(to: start..<end) else { return }
        let first = lost?.hull.lowerBound ?? positions.lowerBound
        lost = (first..<positions.upperBound, (lost?.count ?? 0) + positions.count)
      } onMessage: {
        intake.add($0, $1)
      }
      if let lost { skip(lost.hull, "the ring went round while nobody mirrored", lost.count) }
      if read == 0 { break }
      try commit(at: reader.position, chains: reader.openChains)
    }
    ring.resume(reader.openChains)
  }

  /// - Parameter count: how many of the positions, if not all.
  private func skip(_ positions: Range<UInt64>, _ reason: String, _ count: Int? = nil) {
    guard !positions.isEmpty else { return }
    board.noteSkipped(positions)
    let count = count ?? positions.count
    options.onWarning?(.unmirrored(count: UInt64(max(0, count)), reason: reason))
  }

  // MARK: At work

  /// Whether it is to end.
  var isToEnd: Bool { stop.isRaised }

  /// Mirrors until it is to end, and then what has been published by then.
  func run() {
    while !isToEnd {
      let asks = board.asks
      if !step() { rest(asks) }
    }
    let end = ring.frontier
    let deadline = ContinuousClock.now.advanced(by: .seconds(5))
    while ring.position < end, !failure.isFailing, ContinuousClock.now < deadline, step() {}
    syncIfWanted(now: true)
    // Not given back: a candidate that waits goes on there the next moment and misses nothing. If
    // none does, nobody is held up for long; what could not be written waits longer.
    let patience = failure.isFailing ? options.successionPatience : options.handOverPatience
    ring.abandon(keepNanoseconds: patience.nanosecondsSaturated)
  }

  /// Reads, writes and commits one batch.
  ///
  /// - Returns: whether there was anything to do.
  private func step() -> Bool {
    let read = gather()
    if MirrorDefect.isPlanted(.commitsFirst) {
      board.noteMirrored(ring.position, messages: 0, bytes: 0)
      ring.commit()
    }
    if read > 0, commitPersistently() { ring.commit() }
    syncIfWanted(now: false)
    return read > 0
  }

  /// Reads until there is enough for a batch, or nothing more; but waits a little for those who
  /// will want the same sync.
  private func gather() -> Int {
    var read = 0
    while read < Mirror.batch.records, intake.bytes < Mirror.batch.bytes {
      let asks = board.asks
      let more = Mirror.receive(from: ring, into: &intake) { note($0) }
      read += more
      guard more == 0 else { continue }
      guard read > 0, let missing = group.missing(intake.syncRequests) else { break }
      ring.doze(quorum: asks &+ UInt64(missing.count), untilNanoseconds: missing.deadline)
    }
    pace.note(read)
    return read
  }

  /// One access to the intake for many records.
  private static func receive(
    from ring: RingSubscriber, into intake: inout MirrorIntake, onLoss: (RingLoss) -> Void
  ) -> Int {
    ring.receive(limit: 256, onLoss: onLoss) { intake.add($0, $1) }
  }

  private func note(_ loss: RingLoss) {
    // With back pressure nothing is overrun; what is damaged is lost for everybody.
    if let positions = loss.positions { skip(positions, loss.reason) }
  }

  /// There is nothing to do, and publishers had asked so often before that was seen.
  private func rest(_ asks: UInt64) {
    let now = conclave_monotonic_ns()
    if let group = group.returning(now) {
      ring.doze(quorum: asks &+ UInt64(group.count), untilNanoseconds: group.deadline)
    } else if pace.dozes(at: now) {
      ring.doze(quorum: asks &+ 1, untilNanoseconds: now &+ MirrorPace.doze)
    } else {
      park(asks)
    }
  }

  private func park(_ asks: UInt64) {
    var deadline = UInt64.max
    if let interval = options.syncInterval, synced < committed {
      deadline = lastSync.addingSaturating(interval.nanosecondsSaturated)
    }
    ring.park(untilNanoseconds: deadline, unlessAskedSince: asks)
  }

  /// Writes what is at hand and says so.
  ///
  /// - Throws: why not; what was written is written, the rest is still at hand.
  func commit(at position: UInt64, chains open: [RingChain]) throws(BusError) {
    try intake.write(adding: &written)
    try chains.keep(MirrorDefect.isPlanted(.forgetsBeginnings) ? [] : open, until: position)
    board.noteMirrored(position, messages: written.messages, bytes: written.bytes)
    chains.settle()
    written = MirrorCount()
    committed = position
  }

  // MARK: Onto the disk

  private func syncIfWanted(now: Bool) {
    guard synced < committed else { return }
    let elapsed = conclave_monotonic_ns() &- lastSync
    let isDue = options.syncInterval.map { now || elapsed >= $0.nanosecondsSaturated } ?? false
    let isWanted = intake.syncRequests > 0 || min(board.wanted, committed) > synced
    guard isWanted || isDue else { return }
    let end = committed
    group.begin(intake.syncRequests)
    do throws(BusError) {
      try intake.synchronize(from: inheritedFrom)
    } catch {
      // What the kernel could not write it takes for written from now on: a second attempt would
      // succeed and mean nothing.
      board.noteUnsynced(synced..<end)
      options.onWarning?(.syncFailed(reason: error.message))
    }
    group.end()
    inheritedFrom = nil
    synced = end
    lastSync = conclave_monotonic_ns()
    board.noteSynced(end)
  }

  /// Gives up the records up to `position`: they will not be in the files.
  func giveUp(upTo position: UInt64) {
    intake.discard()
    board.noteSkipped(committed..<position)
    board.noteMirrored(position, messages: 0, bytes: 0)
    committed = position
  }
}

extension RingLoss {
  /// In words.
  fileprivate var reason: String {
    switch self {
    case .lapped, .overwritten: "the ring went round while nobody mirrored"
    case .damaged(let position): "the record at position \(position) makes no sense"
    case .headless(let position): "the beginning of the message at position \(position) is lost"
    case .abandoned: "its publisher died"
    }
  }

  /// The positions that are lost for good.
  var positions: Range<UInt64>? {
    switch self {
    case .lapped(let position, let count): position..<position.addingSaturating(count)
    case .overwritten(let position), .damaged(let position), .headless(let position):
      position..<position.addingSaturating(1)
    case .abandoned: nil
    }
  }
}

extension Duration {
  /// Never negative, and `UInt64.max` for what is longer than that.
  var nanosecondsSaturated: UInt64 { UInt64(max(0, nanoseconds)) }
}
