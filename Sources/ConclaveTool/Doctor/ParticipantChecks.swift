import ConclaveBus

/// Who takes part and does nothing.
enum ParticipantChecks {
  static func run(_ segment: SharedMemoryStatus) -> [Finding] {
    let stopped = roles(segment).filter { isStopped($0.key) }.sorted { $0.key < $1.key }
    return stopped.map { process, role in
      var finding = Finding.warning(
        "a process", "\(process), \(role.words), is stopped\(role.consequence)",
        hint: "kill -CONT \(process), or end it")
      finding.processes = [Int32(truncatingIfNeeded: process)]
      return finding
    }
  }

  private enum Role {
    case mirror, waitedFor, subscriber, publisher

    var words: String {
      switch self {
      case .mirror: "the mirror"
      case .waitedFor, .subscriber: "which subscribes"
      case .publisher: "which publishes"
      }
    }

    var consequence: String {
      switch self {
      case .mirror: ": nothing gets into the files, and publishers wait when the ring is full"
      case .waitedFor: ": publishers wait for it when the ring is full"
      case .subscriber, .publisher: ""
      }
    }
  }

  /// Of each process that lives, the one that matters most to others.
  private static func roles(_ segment: SharedMemoryStatus) -> [UInt32: Role] {
    var roles: [UInt32: Role] = [:]
    for lane in segment.lanes where lane.isLive { roles[lane.process] = .publisher }
    for row in segment.subscribers where row.isLive && !row.isMirror && !row.hasBackPressure {
      roles[row.process] = .subscriber
    }
    for row in segment.subscribers where row.isLive && !row.isMirror && row.hasBackPressure {
      roles[row.process] = .waitedFor
    }
    for row in segment.subscribers where row.isLive && row.isMirror { roles[row.process] = .mirror }
    return roles
  }

  /// By proc(5): stopped by a signal, or by a tracer.
  private static func isStopped(_ process: UInt32) -> Bool {
    guard process > 0, let bytes = try? TaskText.contents("/proc/\(process)/stat") else {
      return false
    }
    // The name in parentheses may contain anything.
    let rest = bytes.suffix(from: (bytes.lastIndex(of: UInt8(ascii: ")")) ?? bytes.startIndex))
    let state = rest.dropFirst(2).first
    return state == UInt8(ascii: "T") || state == UInt8(ascii: "t")
  }
}
