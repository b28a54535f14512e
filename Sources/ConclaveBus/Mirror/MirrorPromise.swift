import CShim
import SharedRing

/// What a publish was promised: made before it publishes, kept after.
struct MirrorPromise {
  /// What it is about.
  struct Subject {
    var topic: Topic
    /// nil: what it has published cannot be told from what others have.
    var evidence: MirrorEvidence?
    /// Behind what this process has published before.
    var start: UInt64
  }

  private let board: RingMirrorBoard
  private let directory: BusDirectory
  private let subject: Subject
  private let isSynced: Bool
  private let isPatient: Bool
  private let patience: Duration
  /// What went wrong before this publish does not concern it.
  private let before: RingMirrorProgress

  /// How long to wait between two looks into the files, nanoseconds.
  private static let pauses: (shortest: UInt64, longest: UInt64) = (1_000_000, 50_000_000)

  /// - Parameter directory: of the bus.
  init(
    _ board: RingMirrorBoard, _ durability: Durability, _ options: MirrorOptions,
    _ directory: BusDirectory, _ subject: Subject
  ) {
    self.board = board
    self.directory = directory
    self.subject = subject
    isSynced = durability == .synced
    isPatient = options.whenFailing == .block
    patience = options.patience
    before = board.progress
  }

  /// Blocks until it is true of everything up to `position`, or, while there is trouble, until it
  /// is seen to be true of what was published.
  ///
  /// - Throws: `notDurable`, `closed`.
  func keep(_ position: UInt64, _ closing: RingCancellation) throws(BusError) {
    let deadline = conclave_monotonic_ns().addingSaturating(patience.nanosecondsSaturated)
    if isSynced { board.wantSynced(position.addingSaturating(1)) }
    board.ask(for: position)
    var look = Look(pause: MirrorPromise.pauses.shortest)
    while true {
      let now = board.progress
      if (isSynced ? now.synced : now.mirrored) > position { return try check(position, now) }
      if closing.isRaised { throw .busClosed }
      let isLate = conclave_monotonic_ns() >= deadline
      if let trouble = now.trouble {
        if takeLook(&look, position) { return try checkSync(position, board.progress) }
        let isConcerned = trouble.concerns(subject.topic) && !look.isInFiles
        if isLate || isConcerned && !isPatient {
          throw BusError.mirrorFailing(trouble, isInFile: look.isInFiles)
        }
        conclave_pace_until(conclave_monotonic_ns() + look.pause)
        look.pause = min(2 * look.pause, MirrorPromise.pauses.longest)
      } else if isLate {
        let isInFile = isSynced && now.mirrored > position
        throw MirrorAbsence(board, directory).error(after: patience, isInFile: isInFile)
      } else {
        board.wait(for: position, synced: isSynced, closing)
      }
    }
  }

  // MARK: While there is trouble

  /// What is known of the files.
  private struct Look {
    var pause: UInt64
    var claim: MirrorEvidence.Claim?
    var isInFiles = false
    /// The end of a round of syncs that has begun since.
    var round: UInt32 = 0
  }

  /// - Returns: whether the promise is kept, unless a sync has failed.
  private func takeLook(_ look: inout Look, _ position: UInt64) -> Bool {
    if !look.isInFiles {
      guard let evidence = subject.evidence, let base = board.progress.base else { return false }
      let claim = look.claim ?? evidence.claim(base: base)
      look.claim = claim
      look.isInFiles = claim.isInFiles
      guard look.isInFiles else { return false }
      // A round that is under way may have passed the file already.
      look.round = (board.rounds | 1) &+ (board.rounds % 2 == 0 ? 1 : 2)
      look.pause = MirrorPromise.pauses.shortest
      if isSynced { board.ask(for: position) }
    }
    return !isSynced || Int32(bitPattern: board.rounds &- look.round) >= 0
  }

  // MARK: What went wrong

  private func check(_ position: UInt64, _ now: RingMirrorProgress) throws(BusError) {
    let positions = subject.start..<max(subject.start, position.addingSaturating(1))
    if now.skipped.meets(positions, since: before.skipped) != false, !isInFiles {
      throw BusError(
        .notDurable, "the mirror could not write the message to its topic's file",
        hint: "subscribers have it; see why with conclave bus status, then publish again what has "
          + "to be kept")
    }
    try checkSync(position, now)
  }

  private var isInFiles: Bool {
    guard let evidence = subject.evidence, let base = board.progress.base else { return false }
    return evidence.claim(base: base).isInFiles
  }

  private func checkSync(_ position: UInt64, _ now: RingMirrorProgress) throws(BusError) {
    guard isSynced else { return }
    let positions = subject.start..<max(subject.start, position.addingSaturating(1))
    let stretch = now.unsynced
    guard let meets = stretch.meets(positions, since: before.unsynced) else {
      throw doubt("syncs have failed meanwhile, perhaps of other files")
    }
    guard meets else { return }
    if stretch.subject == 0 {
      throw doubt("a sync has failed, and it is not known of which files")
    }
    guard stretch.subject == subject.topic.subject else { return }
    throw BusError(
      .notDurable, "the message could not be forced to the disk, which has reported an error",
      hint: "it is in the topic's file, but a power cut may take it; check the disk")
  }

  private func doubt(_ reason: String) -> BusError {
    BusError(
      .notDurable, "whether the message is on the disk is not known: \(reason)",
      hint: "it is in the topic's file; check the disk, and publish again what has to be kept")
  }
}

extension RingTrouble {
  /// Whether the topic's file cannot be written; true also when that cannot be told.
  func concerns(_ topic: Topic) -> Bool { subject == 0 || subject == topic.subject }
}

extension BusError {
  /// The mirror cannot write, and this is on the bus already.
  static func mirrorFailing(_ trouble: RingTrouble, isInFile: Bool) -> BusError {
    mirrorFailing(
      trouble,
      isInFile
        ? "the message is in its file, but was not forced to the disk"
        : "the message is on the bus, but not in its file")
  }

  /// The mirror cannot write, so nothing was published.
  static func mirrorFailing(_ trouble: RingTrouble) -> BusError {
    mirrorFailing(trouble, "nothing was published")
  }

  private static func mirrorFailing(_ trouble: RingTrouble, _ what: String) -> BusError {
    let reason = Code(number: trouble.code).map { " (\($0.rawValue))" } ?? ""
    return BusError(
      .notDurable, "the mirror cannot write the topic files\(reason): \(what)",
      hint: "see why with conclave bus status; the mirror goes on by itself once it can write")
  }
}
