import Glibc

/// A process as `/proc` shows it.
struct ProcessEntry: Sendable {
  /// Names one process for good, unlike its pid alone.
  struct ID: Hashable {
    let pid: pid_t
    let start: UInt64
  }

  let pid: pid_t
  let parent: pid_t
  let group: pid_t
  let session: pid_t
  /// When it was started, in clock ticks since boot.
  let start: UInt64
  /// Whether it has ended and nobody has asked how.
  let isZombie: Bool

  var id: ID { ID(pid: pid, start: start) }
}

/// All processes that can be seen. O(processes) of system calls.
enum ProcessTable {
  /// All, the oldest first: who ends what it has started by itself is to be asked before it sees
  /// that die.
  static func look() -> ProcessLook {
    var found = ProcessLook()
    // The youngest first: most of those that are about to go are among them.
    for pid in pids().reversed() {
      if let entry = self.entry(pid) {
        found.entries.append(entry)
      } else {
        found.isWhole = false
      }
    }
    found.entries.sort { ($0.start, $0.pid) < ($1.start, $1.pid) }
    return found
  }

  private static func pids() -> [pid_t] {
    guard let folder = unsafe opendir("/proc") else { return [] }
    defer { unsafe closedir(folder) }
    var found: [pid_t] = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if let pid = pid_t(name) { found.append(pid) }
    }
    return found
  }

  /// One process, or nil when it is gone.
  static func entry(_ pid: pid_t) -> ProcessEntry? {
    let text = String(decoding: read("/proc/\(pid)/stat", limit: 4096), as: UTF8.self)
    // The name, in parentheses, may hold anything.
    guard let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    guard fields.count > 19, let parent = pid_t(fields[1]), let group = pid_t(fields[2]),
      let session = pid_t(fields[3]), let start = UInt64(fields[19])
    else { return nil }
    return ProcessEntry(
      pid: pid, parent: parent, group: group, session: session, start: start,
      isZombie: fields[0] == "Z" || fields[0] == "X")
  }

  /// What the process was given, NAME=VALUE each; empty when it is gone, or another user's.
  static func environment(_ pid: pid_t) -> [[UInt8].SubSequence] {
    read("/proc/\(pid)/environ", limit: 1 << 20).split(separator: 0)
  }

  /// What the process is called: 15 bytes of its program's name at most; empty when it is gone.
  static func name(_ pid: pid_t) -> String {
    String(String(decoding: read("/proc/\(pid)/comm", limit: 64), as: UTF8.self).trimmed)
  }

  /// Whether the process was given a variable of that name.
  static func hasVariable(_ name: String, _ pid: pid_t) -> Bool {
    let start = Array("\(name)=".utf8)
    return environment(pid).contains { $0.starts(with: start) }
  }

  private static func read(_ path: String, limit: Int) -> [UInt8] {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return [] }
    defer { close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while bytes.count < limit {
      let count = unsafe Glibc.read(file, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      bytes += chunk.prefix(count)
    }
    return bytes
  }
}
