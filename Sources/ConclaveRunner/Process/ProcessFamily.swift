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
  func members() -> ProcessLook {
    var look = ProcessTable.look()
    let table = look.entries
    let own = getpid()
    let entry = Array("\(ProcessFamily.markName)=\(mark)".utf8)
    let known = ProcessFamily.live.withLock { $0 }
    let adopts = ProcessFamily.adopts.load(ordering: .acquiring) && known.count == 1
    var pids = Set<pid_t>()
    for process in table where process.pid != own {
      let isOrphan = adopts && process.parent == own && !known.contains(process.pid)
      if process.pid == leader || process.group == leader || process.session == leader
        || isOrphan || look.has(anyOf: [entry], process)
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
    look.entries = table.filter { pids.contains($0.pid) && !$0.isZombie }
    let dead = table.filter { pids.contains($0.pid) && $0.isZombie && $0.pid != leader }
    // They may have started others after the list was made.
    if !dead.isEmpty { look.isWhole = false }
    reap(dead)
    return look
  }

  /// Signals everybody. A process that was started meanwhile is found the next time.
  func send(_ signal: Int32) {
    for member in members().entries { ProcessFamily.send(signal, to: member) }
  }

  /// Signals the leader alone, which has not been reaped yet.
  func sendToLeader(_ signal: Int32) {
    if let entry = ProcessTable.entry(leader) { ProcessFamily.send(signal, to: entry) }
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
  /// - Returns: how many there were.
  func endLeftovers(grace: Duration) -> Int {
    ProcessFamily.end(grace: grace) {
      var rest = members()
      rest.entries.removeAll { $0.pid == leader }
      return (rest, rest.entries)
    }
  }

  /// Adopted members that have ended would stay in the table as long as this process lives.
  private func reap(_ dead: [ProcessEntry]) {
    for process in dead where process.parent == getpid() { _ = waitpid(process.pid, nil, WNOHANG) }
  }
}
