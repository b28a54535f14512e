import Synchronization

/// Defects that tests plant, to see that the storms and sweeps notice them. Debug builds only: in
/// others ``isPlanted(_:)`` is the constant false, and the compiler leaves out what it guards.
package enum MirrorDefect: String, CaseIterable, Sendable {
  /// Publishers are told, and the ring's records given back, before the lines are written.
  case commitsFirst
  /// A successor does not ask the files what they have.
  case writesTwice
  /// What a dying mirror wrote of a line stays in the file.
  case keepsTornLines
  /// The beginnings of large messages are not kept for a successor.
  case forgetsBeginnings
  /// A sync that failed counts as done.
  case ignoresFailedSyncs
  /// The mirror syncs when somebody waits for it, and never by itself.
  case ignoresSyncInterval
  /// A short write counts as a whole one.
  case trustsShortWrites
  /// A write that a signal has interrupted is an error,
  case failsWhenInterrupted
  /// or counts as done.
  case ignoresInterruptions
  /// A durable subscription acknowledges without a note in its journal.
  case forgetsAcknowledgements
  /// A subscription that goes on behind a message leaves out the next ones.
  case leavesOutTheNext

  #if PLANTED_DEFECTS
    private static let planted = Atomic<Int>(-1)

    /// For the whole process.
    package static func plant(_ defect: MirrorDefect) {
      planted.store(allCases.firstIndex(of: defect) ?? -1, ordering: .relaxed)
    }

    @inline(__always)
    static func isPlanted(_ defect: MirrorDefect) -> Bool {
      let index = planted.load(ordering: .relaxed)
      return index >= 0 && allCases[index] == defect
    }
  #else
    @inline(__always)
    static func isPlanted(_ defect: MirrorDefect) -> Bool { false }
  #endif
}
