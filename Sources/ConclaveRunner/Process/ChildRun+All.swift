import Glibc

extension ChildRun {
  /// Kills everything that this process has started and whatever that has started, without waiting
  /// for anybody: for the last moment of a process that was asked to end twice. Git commands of a
  /// run of a plan are let finish. Takes some milliseconds, three seconds at most.
  public static func killAll() {
    let clock = SuspendingClock()
    let end = clock.now.advanced(by: .seconds(3))
    var absence = ProcessAbsence()
    while clock.now < end {
      let look = ProcessFamily.descendants()
      if absence.isProved(by: look) { return }
      let all = look.entries
      if all.isEmpty { continue }
      // From the leaves: who adopts orphans must see them all die.
      let lower = all.filter { $0.parent != getpid() }
      for member in lower.isEmpty ? all : lower { ProcessFamily.send(SIGKILL, to: member) }
      usleep(2000)
    }
  }
}

extension ProcessFamily {
  /// All descendants of this process that are alive.
  fileprivate static func descendants() -> ProcessLook {
    var look = ProcessTable.look()
    let table = look.entries
    let own = getpid()
    var pids: Set<pid_t> = [own]
    var grows = true
    while grows {
      grows = false
      for process in table where pids.contains(process.parent) && process.pid != own {
        if pids.insert(process.pid).inserted { grows = true }
      }
    }
    look.entries = table.filter { process in
      process.pid != own && pids.contains(process.pid) && !process.isZombie
        && !ProcessTable.hasVariable(FleetMark.git, process.pid)
    }
    return look
  }
}
