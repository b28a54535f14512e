import CShim
import Glibc

/// How far the mirror is, in positions of the ring.
public struct RingMirrorProgress: Hashable, Sendable {
  /// What the files call the ring's position 0; nil as long as it was never mirrored.
  public let base: UInt64?
  /// Positions below it are in the files, or `skipped`.
  public let mirrored: UInt64
  /// Positions below it are on the disk, or in one of the stretches.
  public let synced: UInt64
  /// Why the mirror cannot write just now; nil: it can.
  public let trouble: RingTrouble?
  /// How many messages, and bytes of the files, mirrors have copied from this segment.
  public let messages: UInt64
  public let bytes: UInt64
  /// Not in the files.
  public let skipped: RingStretch
  /// In the files, but the disk may not have them.
  public let unsynced: RingStretch

  init(_ copy: conclave_mirror_copy) {
    base = copy.base == 0 ? nil : copy.base - 1
    mirrored = copy.mirrored
    synced = copy.synced
    trouble = RingTrouble(word: copy.trouble)
    messages = copy.messages
    bytes = copy.bytes
    skipped = RingStretch(copy.skipped)
    unsynced = RingStretch(copy.unsynced)
  }
}

/// Where the mirror says how far it is, and where publishers wait for it: part of the segment, lent
/// by a subscriber or a publisher that must outlive it. Safe from any thread.
@safe
public struct RingMirrorBoard: Sendable {
  /// Constant while its owner lives.
  private nonisolated(unsafe) let view: UnsafePointer<conclave_view>

  init(_ view: UnsafePointer<conclave_view>) { unsafe self.view = view }

  public var progress: RingMirrorProgress {
    RingMirrorProgress(unsafe conclave_mirror_read(view))
  }

  /// Positions below it are in the files. One load.
  public var mirrored: UInt64 { unsafe conclave_mirror_mirrored(view) }

  /// Why the mirror cannot write; nil: it can. One load.
  public var trouble: RingTrouble? { RingTrouble(word: unsafe conclave_mirror_trouble(view)) }

  /// Sleeps until the position is mirrored, or synced, until there is trouble or the cancellation
  /// is raised, or for 20 ms: look, and call it again.
  public func wait(for position: UInt64, synced: Bool, _ cancellation: RingCancellation?) {
    unsafe conclave_mirror_wait(view, position, synced ? 1 : 0, cancellation?.raw)
  }

  /// Twice the rounds of syncs; odd while one is under way. What was in a file before a round began
  /// is on the disk after it, or in the stretch ``RingMirrorProgress/unsynced``.
  public var rounds: UInt32 { unsafe conclave_mirror_rounds(view) }

  /// Ends all waits, so that they look at their cancellations.
  public func wake() { unsafe conclave_mirror_wake(view) }

  /// Says that somebody waits for positions below `position` to be on the disk.
  public func wantSynced(_ position: UInt64) {
    unsafe conclave_mirror_want_synced(view, position)
  }

  /// Says that somebody begins to wait for what lies at `position`: wakes the mirror if it dozes
  /// and expects nobody else, or sleeps and has copied that already.
  public func ask(for position: UInt64) { unsafe conclave_mirror_ask(view, position) }

  /// Whether the segment's file still has a name, so that others can open it.
  public var isNamed: Bool {
    var status = stat()
    return unsafe fstat(view.pointee.descriptor, &status) == 0 && status.st_nlink > 0
  }

  /// The process with the first live subscription with back pressure that is called `label`, as it
  /// announced itself. O(rows), with one call of the system for each.
  public func process(labelled label: String) -> UInt32? {
    unsafe RingSnapshot.mirror(labelled: label, view)
  }

  // MARK: For the mirror

  /// How often somebody has begun to wait; wraps.
  public var asks: UInt64 { unsafe conclave_mirror_asks(view) }

  /// Somebody waits for positions below it to be on the disk.
  public var wanted: UInt64 { unsafe conclave_mirror_wanted(view) }

  /// Says what the files call position 0 unless that was said before; returns what holds.
  public func setBase(_ base: UInt64) -> UInt64 { unsafe conclave_mirror_set_base(view, base) }

  /// Positions below `position` are in the files.
  public func noteMirrored(_ position: UInt64, messages: UInt64, bytes: UInt64) {
    unsafe conclave_mirror_note_mirrored(view, position, messages, bytes)
  }

  /// Positions below `position` are on the disk.
  public func noteSynced(_ position: UInt64) { unsafe conclave_mirror_note_synced(view, position) }

  /// These will not be in the files. Before ``noteMirrored(_:messages:bytes:)`` passes them.
  public func noteSkipped(_ positions: Range<UInt64>) {
    unsafe conclave_mirror_note_skipped(view, positions.lowerBound, positions.upperBound)
  }

  /// The disk may not have these, or those of them that `subject` tells (0: it cannot be told
  /// which). Before ``noteSynced(_:)`` passes them, and before the round ends.
  public func noteUnsynced(_ positions: Range<UInt64>, subject: UInt32) {
    unsafe conclave_mirror_note_unsynced(
      view, positions.lowerBound, positions.upperBound, subject)
  }

  /// A round of syncs begins, or ends.
  public func noteRound() { unsafe conclave_mirror_note_round(view) }

  /// nil: the mirror can write.
  public func setTrouble(_ trouble: RingTrouble?) {
    unsafe conclave_mirror_set_trouble(view, trouble?.word ?? 0)
  }
}
