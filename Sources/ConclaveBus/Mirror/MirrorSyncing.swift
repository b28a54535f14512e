import CShim
import SharedRing

/// How the mirror forces the files to the disk.
extension Mirror {
  /// - Parameter now: with ``MirrorOptions/syncInterval``, whether it is over whatever the clock
  ///   says.
  func syncIfWanted(now: Bool) {
    let elapsed = conclave_monotonic_ns() &- lastSync
    let interval = MirrorDefect.isPlanted(.ignoresSyncInterval) ? nil : options.syncInterval
    let isDue = interval.map { now || elapsed >= $0.nanosecondsSaturated } ?? false
    let isWanted = intake.syncRequests > 0 || min(board.wanted, committed) > synced
    if synced < committed, isWanted || isDue {
      startRound()
    } else if intake.isHolding, isDue ? intake.isDirty : isWantedAhead {
      // What other topics have is in the files, and their publishers may ask for the disk.
      startRound()
    }
  }

  /// Whether somebody has asked for something to be on the disk that is not committed.
  private var isWantedAhead: Bool { board.wanted > committed && board.asks != asksOfRound }

  private func startRound() {
    asksOfRound = board.asks
    group.begin(intake.syncRequests)
    board.noteRound()
    endRound()
    group.end()
  }

  /// What is in the files now is on the disk when this returns, or said not to be.
  func endRound() {
    let end = committed
    let inherited = inheritance.flatMap { $0.synchronize(in: intake.bus.shared) }
    let own = intake.synchronize()
    if let failed = own.map({ inherited + $0 }) ?? inherited {
      // What the kernel could not write it takes for written from now on: a second attempt would
      // succeed and mean nothing.
      let begin = failed.places.lowerBound &- intake.base
      let positions = begin..<max(begin, failed.places.upperBound &- intake.base)
      board.noteUnsynced(positions, subject: failed.subject)
      options.onWarning?(.syncFailed(reason: failed.reason))
    }
    inheritance = nil
    lastSync = conclave_monotonic_ns()
    board.noteRound()
    guard synced < end else { return }
    synced = end
    board.noteSynced(end)
  }
}
