import Glibc

/// A process as `/proc` shows it.
struct ProcessEntry: Hashable, Sendable {
  let pid: pid_t
  let parent: pid_t
  let group: pid_t
  let session: pid_t
  /// When it was started, in clock ticks since boot: with the pid this names one process.
  let start: UInt64
  /// Whether it has ended and nobody has asked how.
  let isZombie: Bool
}

/// All processes that can be seen. O(processes) of system calls.
enum ProcessTable {
  static func entries() -> [ProcessEntry] {
    guard let folder = unsafe opendir("/proc") else { return [] }
    defer { unsafe closedir(folder) }
    var found: [ProcessEntry] = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if let pid = pid_t(name), let entry = self.entry(pid) { found.append(entry) }
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

  /// Whether the process was given the environment entry `text`, which no other one's begins with.
  static func hasEnvironment(_ text: [UInt8], _ pid: pid_t) -> Bool {
    let all = read("/proc/\(pid)/environ", limit: 1 << 20)
    return all.split(separator: 0).contains { $0.elementsEqual(text) }
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
