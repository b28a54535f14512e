import Glibc

extension ProcessFamily {
  /// The variable that says which worktree a program works in for a loop.
  static let worktreeName = "CONCLAVE_RALPH_WORKTREE"

  /// Ends what a loop that was killed has left at work in `worktree`: the next one must not work
  /// beside its agent. Call with the worktree's lock. Never ends whoever has started this process.
  ///
  /// - Returns: how many there were.
  static func endOrphans(ofWorktree worktree: String, grace: Duration) -> Int {
    let clock = SuspendingClock()
    let entry = Array("\(worktreeName)=\(worktree)".utf8)
    var rest = orphans(entry)
    let count = rest.count
    for member in rest { send(SIGTERM, to: member) }
    let killing = clock.now.advanced(by: grace)
    let end = killing.advanced(by: .seconds(10))
    while !rest.isEmpty, clock.now < end {
      usleep(5000)
      rest = orphans(entry)
      if clock.now >= killing {
        for member in rest { send(SIGKILL, to: member) }
      }
    }
    return count
  }

  private static func orphans(_ entry: [UInt8]) -> [ProcessEntry] {
    let table = ProcessTable.entries()
    let parents = Dictionary(table.map { ($0.pid, $0.parent) }) { first, _ in first }
    var spared: Set<pid_t> = [getpid()]
    var ancestor = getppid()
    while ancestor > 1, spared.insert(ancestor).inserted { ancestor = parents[ancestor] ?? 0 }
    let session = getsid(0)
    return table.filter { process in
      !process.isZombie && !spared.contains(process.pid) && process.session != session
        && ProcessTable.hasEnvironment(entry, process.pid)
    }
  }
}
