import CShim
import Glibc
import SharedRing
import Synchronization

/// A program with everything that it has started, wherever that has gone: what is in its session or
/// group, what has its mark in its environment, and the descendants of all these. With
/// ``adoptOrphans()`` also what has shed all three, by becoming a child of this process.
struct ProcessFamily {
  /// The variable whose value is the mark.
  static let markName = "CONCLAVE_CHILD"

  let leader: pid_t
  /// Unlike any other one's.
  let mark: String

  private static let live = Lock(Set<pid_t>())
  private static let adopts = Atomic(false)

  /// Makes this process the parent of all orphans among its descendants. For a command that runs
  /// one program at a time: whatever else becomes a child of this process is ended with it.
  static func adoptOrphans() {
    if conclave_child_adopt() == 0 { adopts.store(true, ordering: .releasing) }
  }

  func register() { ProcessFamily.live.withLock { _ = $0.insert(leader) } }
  func unregister() { ProcessFamily.live.withLock { _ = $0.remove(leader) } }

  /// The leader and the others that are alive. The leader must not have been reaped yet, so that
  /// its pid is still its own.
  func members() -> [ProcessEntry] {
    let table = ProcessTable.entries()
    let own = getpid()
    let entry = Array("\(ProcessFamily.markName)=\(mark)".utf8)
    let known = ProcessFamily.live.withLock { $0 }
    let adopts = ProcessFamily.adopts.load(ordering: .acquiring) && known.count == 1
    var pids = Set<pid_t>()
    for process in table where process.pid != own {
      let isOrphan = adopts && process.parent == own && !known.contains(process.pid)
      if process.pid == leader || process.group == leader || process.session == leader
        || isOrphan || ProcessTable.hasEnvironment(entry, process.pid)
      {
        pids.insert(process.pid)
      }
    }
    var grows = true
    while grows {
      grows = false
      for process in table where process.pid != own && pids.contains(process.parent) {
        if pids.insert(process.pid).inserted { grows = true }
      }
    }
    let all = table.filter { pids.contains($0.pid) }
    reap(all)
    return all.filter { !$0.isZombie }
  }

  /// Signals everybody. A process that was started meanwhile is found the next time.
  func send(_ signal: Int32) {
    for member in members() { ProcessFamily.send(signal, to: member) }
  }

  static func send(_ signal: Int32, to member: ProcessEntry) {
    let descriptor = conclave_child_open(member.pid)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    // The descriptor holds the pid: is it still the process that was seen?
    guard ProcessTable.entry(member.pid)?.start == member.start else { return }
    _ = conclave_child_signal(descriptor, signal)
  }

  /// Ends what the leader has left behind: asks, and after `grace` kills until nobody is left.
  ///
  /// - Returns: how many there were at first.
  func endLeftovers(grace: Duration) -> Int {
    let clock = SuspendingClock()
    var rest = members().filter { $0.pid != leader }
    let count = rest.count
    let killing = clock.now.advanced(by: grace)
    // Killed processes that do not go away sleep in the kernel; nothing more can be done.
    let end = killing.advanced(by: .seconds(10))
    for member in rest { ProcessFamily.send(SIGTERM, to: member) }
    while !rest.isEmpty, clock.now < end {
      usleep(5000)
      rest = members().filter { $0.pid != leader }
      if clock.now >= killing {
        for member in rest { ProcessFamily.send(SIGKILL, to: member) }
      }
    }
    return count
  }

  /// Adopted members that have ended would stay in the table as long as this process lives.
  private func reap(_ all: [ProcessEntry]) {
    for process in all where process.isZombie && process.pid != leader && process.parent == getpid()
    {
      _ = waitpid(process.pid, nil, WNOHANG)
    }
  }
}
