import Glibc

/// What the processes are called here whose numbers stand in a segment.
///
/// Each wrote the number that it has in its own pid name space (pid_namespaces(7)). Of one in a
/// container, or of one outside of the container that asks, that is somebody else's number here,
/// whom nobody should end for it. So those are looked for who have the segment mapped.
package struct ParticipantNumbers {
  package enum Place: Hashable, Sendable {
    /// The number is the same here, as far as can be seen.
    case here
    /// One of these has it where it is.
    case named([UInt32])
    /// It cannot be seen from here.
    case elsewhere
  }

  /// nil where there is no segment.
  private let inode: ino_t?
  private let name: Substring
  private let owner: uid_t
  private let isShared: Bool

  package init(of segment: String) {
    var status = stat()
    let found = unsafe stat(segment, &status) == 0
    inode = found ? status.st_ino : nil
    name = segment.split(separator: "/").last ?? ""
    owner = status.st_uid
    isShared = status.st_mode & (S_IRWXG | S_IRWXO) != 0
  }

  /// Where a process is that wrote down this number. Looks at all processes where it is not here:
  /// some 0.1 ms each.
  package func place(of process: UInt32) -> Place {
    if inode == nil || isMapped(process) == true { return .here }
    let others = SystemFiles.names(in: "/proc").compactMap { UInt32($0) }
      .filter { isMapped($0) == true && ownNumber(of: $0) == process }
    guard others.isEmpty else { return .named(others.sorted()) }
    return mayTakePart(process) ? .here : .elsewhere
  }

  /// For a hint: at most ten of them, once each, in order.
  package func names(_ processes: [UInt32]) -> String {
    let all = Set(processes).sorted()
    let more = all.count > 10 ? " and \(all.count - 10) more" : ""
    return all.prefix(10).map(name).joined(separator: ", ") + more
  }

  private func name(_ process: UInt32) -> String {
    switch place(of: process) {
    case .here: "\(process)"
    case .named(let here):
      here.map(String.init).joined(separator: " or ") + " (\(process) in its container)"
    case .elsewhere: "\(process) of another pid name space (a container's, or the host's)"
    }
  }

  /// Whether its mappings are not shown, as those of another member of a group.
  private func mayTakePart(_ process: UInt32) -> Bool {
    var status = stat()
    guard isMapped(process) == nil, unsafe stat("/proc/\(process)", &status) == 0 else {
      return false
    }
    return isShared || status.st_uid == owner
  }

  /// nil where that is not shown. By inode and name: the path may be another one where it is.
  private func isMapped(_ process: UInt32) -> Bool? {
    guard let inode else { return nil }
    let maps = SystemFiles.text("/proc/\(process)/maps", limit: 1 << 24)
    guard !maps.isEmpty else { return nil }
    return maps.split(separator: "\n").contains { line in
      line.contains(" \(inode) ") && line.contains("/\(name)")
    }
  }

  /// Its number in the innermost name space that it is in: NSpid of proc_pid_status(5).
  private func ownNumber(of process: UInt32) -> UInt32? {
    SystemFiles.text("/proc/\(process)/status").split(separator: "\n")
      .first { $0.hasPrefix("NSpid:") }?
      .split(whereSeparator: \.isWhitespace).last.flatMap { UInt32($0) }
  }
}
