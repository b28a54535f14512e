import Glibc

extension ProcessFamily {
  /// The variable that says which worktree a program works in for a loop.
  static let worktreeName = "CONCLAVE_RALPH_WORKTREE"

  /// Ends what a loop that was killed has left at work in `worktree`: the next one must not work
  /// beside its agent. Call with the worktree's lock. Never ends whoever has started this process.
  ///
  /// - Returns: how many there were.
  static func endOrphans(ofWorktree worktree: String, grace: Duration) -> Int {
    endOrphans(marked: "\(worktreeName)=\(worktree)", grace: grace)
  }

  /// Ends all processes that were given the environment entry `mark`, but for those that have
  /// started this one and those in its session. Who is at the top of others is asked first, since
  /// it may look after them; after `grace` all are killed.
  ///
  /// - Returns: how many there were.
  static func endOrphans(marked mark: String, grace: Duration) -> Int {
    let entry = Array(mark.utf8)
    return end(grace: grace) {
      let rest = orphans(anyOf: [entry])
      let pids = Set(rest.entries.map(\.pid))
      return (rest, rest.entries.filter { !pids.contains($0.parent) })
    }
  }

  /// Waits until no process is left that was given the environment entry `mark`.
  ///
  /// - Returns: those that are left after `limit`.
  static func waitForOrphans(marked mark: String, limit: Duration) -> [pid_t] {
    let clock = SuspendingClock()
    let entry = Array(mark.utf8)
    let end = clock.now.advanced(by: limit)
    var absence = ProcessAbsence()
    while case let rest = orphans(anyOf: [entry]), !absence.isProved(by: rest) {
      if clock.now >= end { return rest.entries.map(\.pid) }
      if !rest.entries.isEmpty { usleep(20_000) }
    }
    return []
  }

  /// All processes that were given one of the environment entries `marks`, but for those that have
  /// started this one and those in its session.
  static func orphans(marked marks: [String]) -> [ProcessEntry] {
    orphans(anyOf: marks.map { Array($0.utf8) }).entries
  }

  private static func orphans(anyOf entries: [[UInt8]]) -> ProcessLook {
    var look = ProcessTable.look()
    let parents = Dictionary(look.entries.map { ($0.pid, $0.parent) }) { first, _ in first }
    var spared: Set<pid_t> = [getpid()]
    var ancestor = getppid()
    while ancestor > 1, spared.insert(ancestor).inserted { ancestor = parents[ancestor] ?? 0 }
    let session = getsid(0)
    look.entries = look.entries.filter { process in
      !process.isZombie && !spared.contains(process.pid) && process.session != session
        && look.has(anyOf: entries, process)
    }
    return look
  }
}
