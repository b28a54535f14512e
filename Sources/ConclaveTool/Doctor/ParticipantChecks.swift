import ConclaveBus

/// Who takes part and does nothing.
enum ParticipantChecks {
  static func run(_ segment: SharedMemoryStatus) -> [Finding] {
    let numbers = ParticipantNumbers(of: segment.path)
    let here = roles(segment).compactMap { process, role in
      number(process, numbers).map { (process: $0, role: role) }
    }
    let stopped = here.filter { isStopped($0.process) }.sorted { $0.process < $1.process }
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

  /// What it is called here; nil where that is not known.
  private static func number(_ process: UInt32, _ numbers: ParticipantNumbers) -> UInt32? {
    switch numbers.place(of: process) {
    case .here: process
    case .named(let others): others.count == 1 ? others[0] : nil
    case .elsewhere: nil
    }
  }

  /// By proc(5): stopped by a signal, or by a tracer.
  private static func isStopped(_ process: UInt32) -> Bool {
    let text = SystemFiles.text("/proc/\(process)/stat")
    // The name in parentheses may contain anything.
    guard let end = text.lastIndex(of: ")") else { return false }
    let state = text[end...].dropFirst(2).first
    return state == "T" || state == "t"
  }
}
