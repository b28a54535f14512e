import CShim
import SharedRing

/// What a publish was promised: made before it publishes, kept after.
struct MirrorPromise {
  private let board: RingMirrorBoard
  private let directory: BusDirectory
  private let isSynced: Bool
  private let isPatient: Bool
  private let patience: Duration
  /// What went wrong before this publish does not concern it.
  private let before: RingMirrorProgress

  /// - Parameter directory: of the bus.
  init(
    _ board: RingMirrorBoard, _ durability: Durability, _ options: MirrorOptions,
    _ directory: BusDirectory
  ) {
    self.board = board
    self.directory = directory
    isSynced = durability == .synced
    isPatient = options.whenFailing == .block
    patience = options.patience
    before = board.progress
  }

  /// Blocks until it is true of everything up to `position`.
  ///
  /// - Throws: `notDurable`, `closed`.
  func keep(_ position: UInt64, _ closing: RingCancellation) throws(BusError) {
    let deadline = conclave_monotonic_ns().addingSaturating(patience.nanosecondsSaturated)
    if isSynced { board.wantSynced(position.addingSaturating(1)) }
    board.ask(for: position)
    while true {
      let now = board.progress
      if (isSynced ? now.synced : now.mirrored) > position { return try check(position, now) }
      if closing.isRaised { throw .busClosed }
      if now.trouble != 0 {
        guard isPatient, conclave_monotonic_ns() < deadline else { throw failing(now.trouble) }
        conclave_pace_until(conclave_monotonic_ns() + 2_000_000)
      } else {
        guard conclave_monotonic_ns() < deadline else {
          throw MirrorAbsence(board, directory).error(after: patience)
        }
        board.wait(for: position, synced: isSynced, closing)
      }
    }
  }

  private func check(_ position: UInt64, _ now: RingMirrorProgress) throws(BusError) {
    if now.skipped.mayHold(position, since: before.skipped) {
      throw BusError(
        .notDurable, "the mirror could not write the message to its topic's file",
        hint: "subscribers have it; see why with conclave bus status, then publish again what has "
          + "to be kept")
    }
    if isSynced, now.unsynced.mayHold(position, since: before.unsynced) {
      throw BusError(
        .notDurable, "the message could not be forced to the disk, which has reported an error",
        hint: "it is in the topic's file, but a power cut may take it; check the disk")
    }
  }

  private func failing(_ trouble: Int32) -> BusError {
    BusError.mirrorFailing(trouble, isPublished: true)
  }
}

extension BusError {
  /// The mirror cannot write; `trouble` is what stands on the board.
  static func mirrorFailing(_ trouble: Int32, isPublished: Bool) -> BusError {
    let reason = Code(number: trouble).map { " (\($0.rawValue))" } ?? ""
    let what =
      isPublished ? "the message is on the bus, but not in its file" : "nothing was published"
    return BusError(
      .notDurable, "the mirror cannot write the topic files\(reason): \(what)",
      hint: "see why with conclave bus status; the mirror goes on by itself once it can write")
  }
}
