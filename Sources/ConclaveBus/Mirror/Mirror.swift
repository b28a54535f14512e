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
///
/// While a topic's file cannot be written its records are held in the ring, and nothing behind them
/// is committed; what other topics have is read and written all the same.
final class Mirror {
  let options: MirrorOptions
  let board: RingMirrorBoard
  let ring: RingSubscriber
  var intake: MirrorIntake
  var chains: MirrorChains
  /// Of writing `chains`.
  var chainsFailure = MirrorFailure()
  /// Whether that is not over before a new file can be made.
  var mustMakeFiles = false
  /// Where the ring's records begin that are not committed.
  private(set) var committed: UInt64
  /// Where those begin that are not synced, or not known to be.
  var synced: UInt64
  /// What mirrors before this one wrote and did not sync; nil once that is done.
  var inheritance: MirrorInheritance?
  var lastSync = conclave_monotonic_ns()
  /// How often publishers had asked when the last round of syncs began.
  var asksOfRound: UInt64 = 0
  var group = SyncGroup()
  private var pace = MirrorPace()
  /// What was appended but not said on the board yet.
  var written = MirrorCount()
  /// What stands on the board.
  var saidTrouble: RingTrouble?
  var losses = MirrorLosses()
  /// What was noted last of what will not be in the files.
  private var skipped: Range<UInt64> = 0..<0
  var place: MirrorPlace
  /// Of `place`.
  var placeFailure = MirrorFailure()
  private let stop: RingCancellation

  /// Records and bytes that are read between two commits, unless there is less: enough to make
  /// locks and calls cheap, little enough that publishers always find room.
  private static let batch = (records: 1024, bytes: 512 << 10)

  /// Takes over from the last mirror, or begins.
  ///
  /// - Parameter stop: ends ``run()`` when it is raised.
  /// - Throws: `busy` when another bus has used the directory meanwhile, or another process mirrors
  ///   this one into a directory that was moved; `notFound` when this one was; what joining the
  ///   ring and opening files throws.
  init(
    bus: FileBus, place: MirrorPlace, location: RingLocation, options: MirrorOptions,
    until stop: RingCancellation
  ) throws(BusError) {
    self.options = options
    self.place = place
    self.stop = stop
    ring = try Mirror.join(location, options)
    board = ring.mirrorBoard
    do throws(BusError) {
      let base = try Mirror.base(board, ring.generation, bus)
      intake = MirrorIntake(
        bus: bus, base: base, frontier: ring.frontier, laneCount: ring.geometry.laneCount)
      chains = try MirrorChains(in: bus.shared.directory, generation: ring.generation)
      let progress = board.progress
      saidTrouble = progress.trouble
      committed = min(progress.mirrored, ring.position)
      synced = min(progress.synced, committed)
      // While there is trouble files are ahead of `mirrored`.
      if synced < committed || saidTrouble != nil || board.rounds % 2 == 1 {
        inheritance = MirrorInheritance(places: base &+ synced..<max(base &+ synced, intake.limit))
      }
      let open = try chains.recover(below: committed, limit: ring.geometry.messageLimit)
      try readPast(open, location)
      // One that died behind `mirrored` has not given back all of it. With the ring full nobody
      // could bring anything to read, after which that would be done.
      if committed == ring.position { ring.commit() }
    } catch {
      // The next one must find what this one has found.
      ring.abandon(keepNanoseconds: options.successionPatience.nanosecondsSaturated)
      throw error
    }
    // Publishers may already wait for the end of a round that a dead mirror had begun.
    if board.rounds % 2 == 1 { endRound() }
    // Who opens the bus is to find on the board what is true.
    inheritTrouble()
    _ = settle(afterReading: 0)
  }

  /// Takes the one place of a segment's mirror.
  ///
  /// - Throws: `busy` when a mirror lives that has another directory: this one's was moved.
  private static func join(
    _ location: RingLocation, _ options: MirrorOptions
  ) throws(BusError) -> RingSubscriber {
    let deadline = conclave_monotonic_ns() + 1_000_000_000
    while true {
      do throws(RingError) {
        return try RingSubscriber(
          location, creating: options.shared.geometry,
          policy: .mirror(
            timeoutNanoseconds: options.patience.nanosecondsSaturated,
            keepNanoseconds: max(1, options.successionPatience.nanosecondsSaturated)),
          label: Mirror.label)
      } catch {
        // Of one that has just died the kernel gives the locks back one after the other.
        guard case .mirrored = error, conclave_monotonic_ns() < deadline else {
          throw BusError(error, location)
        }
        conclave_pace_until(conclave_monotonic_ns() + 1_000_000)
      }
    }
  }

  /// What its subscription is called in the segment.
  static let label = "(mirror)"

  /// Where the log continues with a segment that was never mirrored: behind all that is there.
  private static func base(
    _ board: RingMirrorBoard, _ generation: RingGeneration, _ bus: FileBus
  ) throws(BusError) -> UInt64 {
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
    return board.setBase(
      try MirrorBase.raise(to: next, for: generation.description, in: directory))
  }

  /// Reads what was published while nobody mirrored, as far as the ring still has it: from where
  /// the files end to where this one's row begins. A successor's row begins where the files end,
  /// unless the mirror before it has not got through with this.
  private func readPast(_ open: [RingChain], _ location: RingLocation) throws(BusError) {
    let end = ring.position
    guard committed < end else { return ring.resume(open) }
    let reader: RingSubscriber
    do throws(RingError) {
      reader = try RingSubscriber(
        location, creating: options.shared.geometry, policy: .dropping, label: Mirror.label)
    } catch { throw BusError(error, location) }
    reader.rewind()
    if reader.position > committed {
      skip(
        intake.missing([committed..<reader.position]), "the ring went round while nobody mirrored")
    }
    reader.seek(to: max(reader.position, committed))
    reader.resume(open)
    while reader.position < end, read(from: reader, upTo: end) > 0 {
      try place.check()
      intake.write(adding: &written) { say($0) }
      if !intake.isHolding { commit(at: reader.position, chains: reader.openChains) }
    }
    ring.resume(reader.openChains)
  }

  private func read(from reader: RingSubscriber, upTo end: UInt64) -> Int {
    let start = reader.position
    var lost: [Range<UInt64>] = []
    let read = reader.receive(limit: Int(min(end - start, UInt64(Mirror.batch.records)))) { loss in
      if let positions = loss.positions?.clamped(to: start..<end) { lost.append(positions) }
    } onMessage: {
      intake.add($0, $1, of: reader)
    }
    skip(intake.missing(lost), "the ring went round while nobody mirrored")
    return read
  }

  /// Says that these will not be in the files.
  private func skip(_ stretches: [Range<UInt64>], _ reason: String) {
    var count: UInt64 = 0
    for stretch in stretches where !stretch.isEmpty {
      count = count.addingSaturating(stretch.upperBound - stretch.lowerBound)
    }
    noteSkipped(stretches)
    if count > 0 { options.onWarning?(.unmirrored(count: count, reason: reason)) }
  }

  /// The last one is what people are shown: it grows where it goes on.
  func noteSkipped(_ stretches: [Range<UInt64>]) {
    var isNoted = true
    for stretch in stretches where !stretch.isEmpty {
      if !skipped.isEmpty, skipped.upperBound == stretch.lowerBound {
        skipped = skipped.lowerBound..<stretch.upperBound
      } else {
        if !isNoted { board.noteSkipped(skipped) }
        skipped = stretch
      }
      isNoted = false
    }
    if !isNoted { board.noteSkipped(skipped) }
  }

  // MARK: At work

  /// Whether it is to end.
  private var isToEnd: Bool { stop.isRaised }

  /// Mirrors until it is to end, and then what has been published by then.
  func run() {
    while !isToEnd {
      let asks = board.asks
      guard !step() else { continue }
      noticePlace()
      rest(asks)
    }
    finish(upTo: ring.frontier)
    syncIfWanted(now: true)
    sayRest()
    // Not given back: a candidate that waits goes on there the next moment and misses nothing. If
    // none does, nobody is held up for long; what could not be written waits longer.
    let isDone = committed == ring.position
    let patience = isDone ? options.handOverPatience : options.successionPatience
    ring.abandon(keepNanoseconds: patience.nanosecondsSaturated)
  }

  /// Mirrors up to `end`, if that can be done in five seconds. What has failed is tried once more
  /// at once. A lock that somebody keeps is waited for, a full disk is not.
  private func finish(upTo end: UInt64) {
    let deadline = conclave_monotonic_ns() + 5_000_000_000
    hasten()
    while committed < end, conclave_monotonic_ns() < deadline {
      if step() { continue }
      guard isLockedOut else { return }
      conclave_pace_until(min(nextAttempt, deadline))
    }
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
    let hasTried = settle(afterReading: read)
    syncIfWanted(now: false)
    return hasTried
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
    ring.receive(limit: 256, onLoss: onLoss) { intake.add($0, $1, of: ring) }
  }

  private func note(_ loss: RingLoss) {
    // With back pressure nothing is overrun; what is damaged is lost for everybody.
    if let positions = loss.positions { skip([positions], loss.reason) }
  }

  /// There is nothing to do, and publishers had asked so often before that was seen.
  private func rest(_ asks: UInt64) {
    let now = conclave_monotonic_ns()
    if !isInOrder {
      park(asks)
    } else if let group = group.returning(now) {
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
    if !isInOrder { deadline = min(deadline, nextAttempt) }
    ring.park(untilNanoseconds: deadline, unlessAskedSince: asks)
  }

  /// Says that what was read up to `position` is in the files, which must be true.
  ///
  /// - Parameter open: the beginnings of large messages before it whose ends lie behind it.
  /// - Returns: false when these could not be kept, so that nothing was said.
  @discardableResult
  func commit(at position: UInt64, chains open: [RingChain]) -> Bool {
    guard chainsFailure.isDue else { return false }
    do throws(BusError) {
      if chainsFailure.isFailing { try chains.probe() }
      if mustMakeFiles { try FileProbe.makesFiles(in: intake.bus.shared.directory) }
      try chains.keep(MirrorDefect.isPlanted(.forgetsBeginnings) ? [] : open, until: position)
    } catch {
      if chainsFailure.note(error.code) { say(error) }
      return false
    }
    if chainsFailure.isFailing { chainsFailure.recover() }
    mustMakeFiles = false
    board.noteMirrored(position, messages: written.messages, bytes: written.bytes)
    chains.settle()
    written = MirrorCount()
    committed = position
    return true
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
