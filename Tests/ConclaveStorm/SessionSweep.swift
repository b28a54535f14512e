import BusTesting
import ConclaveBus
import Glibc

/// Two sessions one after the other: the first is left as if its process had died, the second ends
/// in order.
enum SessionWorker {
  static let word = "session-worker"
  static let messages = 3

  /// Words: the bus directory, and what becomes of the directories: `archive` or `purge`. Says what
  /// is in the files.
  static func main(_ words: [String]) -> Int32 {
    guard words.count == 2 else { return 2 }
    let fate: BusSession.Fate = words[1] == "purge" ? .purge : .archive
    do {
      try talk("one", words[0], fate) { $0.abandon() }
      try talk("two", words[0], fate) { try $0.end(fate) }
      return 0
    } catch {
      print("\(error)")
      return 70
    }
  }

  private static func talk(
    _ name: String, _ path: String, _ fate: BusSession.Fate, _ end: (BusSession) throws -> Void
  ) throws {
    var options = BusSessionOptions(name: try SessionName("s\(getpid())"), kept: 1000)
    options.stale = fate
    let session = try BusSession.begin(at: path, options: options)
    try session.list("note")
    close(unsafe open("\(path)/note", O_CREAT | O_WRONLY | O_CLOEXEC, 0o600))
    let bus = try MirroredBus(directory: session.directory)
    for number in 0..<messages {
      let payload = try RawJSON("\"\(session.owner.session) \(name) \(number)\"")
      let message = Message(type: "sweep", sender: "s", payload: payload)
      // It is in the ring only, for all that this process knows.
      try bus.publish(message, to: Topic("t"))
      print(payload)
    }
    fflush(nil)
    bus.close()
    try end(session)
  }
}

/// Kills a ``SessionWorker`` at every system call that changes files, and looks at what the next
/// one makes of what is left.
struct SessionSweep {
  private static let calls = [
    "openat", "mkdir", "mkdirat", "unlinkat", "unlink", "rmdir", "renameat2", "fcntl", "flock",
    "pwrite64", "write", "ftruncate", "linkat", "fallocate",
  ]

  private let temporary: TemporaryDirectory
  private let fate: String
  private var root: String { temporary.path }
  private var bus: String { "\(root)/.conclave/bus/wave-0" }

  static func run(_ sample: SweepSample) throws -> Bool {
    var points = 0
    for fate in ["archive", "purge"] {
      for (kind, call) in calls.enumerated() {
        // There are hundreds, most of which only look who is there.
        let step = call == "fcntl" ? 7 : 1
        let count = try sample.countPlaces(kind: kind, step: step) { place in
          let sweep = SessionSweep(temporary: try TemporaryDirectory(), fate: fate)
          let (wasMet, faults) = try sweep.kill(at: "\(call):signal=SIGKILL:when=\(place)")
          for fault in faults { print("\(fate), \(call) \(place): \(fault)") }
          return faults.isEmpty ? wasMet : nil
        }
        guard let count else { return false }
        points += count
        print("\(fate), \(call): killed at \(count) places")
      }
    }
    print("killed at \(points) places in all")
    return sample.isEnough(points, of: 100)
  }

  private func kill(at inject: String) throws -> (wasMet: Bool, faults: [String]) {
    let call = inject.prefix { $0 != ":" }
    let first = try ChildProcess(
      "strace",
      ["-f", "-qq", "-o", "/dev/null", "-e", "trace=\(call)", "-e", "inject=\(inject)"]
        + [SweepRun.program, SessionWorker.word, bus, fate])
    let exit = try first.wait()
    let segment = try SharedMemoryBus.segmentPath(of: BusDirectory(opening: bus))
    defer { unsafe unlink(segment) }
    // 127: the program could not even be loaded.
    guard [.code(0), .code(127), .signal(SIGKILL)].contains(exit) else {
      return (true, ["the first ended with \(exit): \(first.standardOutput)"])
    }
    let second = try ChildProcess(SweepRun.program, [SessionWorker.word, bus, fate])
    var faults: [String] = []
    if try second.wait() != .code(0) {
      faults.append("the second failed: \(second.standardOutput)\(second.standardError)")
    }
    if unsafe access(bus, F_OK) == 0 { faults.append("the directory is still there") }
    if unsafe access(segment, F_OK) == 0 { faults.append("the segment is still there") }
    faults += try judge(first.standardOutput + second.standardOutput)
    return (exit != .code(0), faults)
  }

  /// What was promised is in the archive, once; or, when it was to be purged, nothing is.
  private func judge(_ promised: String) throws -> [String] {
    var (seen, faults): ([String], [String]) = ([], [])
    for session in try SessionArchive(path: "\(root)/.conclave/archive").sessions() {
      for bus in session.buses {
        if bus.owner == nil { faults.append("nobody knows whose \(bus.path) is") }
        let file = TextFile.read("\(bus.path)/t.jsonl")
        seen += try file.split(separator: "\n").map {
          try unsafe Envelope(jsonLine: Array($0.utf8).span.bytes).payload.description
        }
      }
    }
    if Set(seen).count != seen.count { faults.append("something is there twice: \(seen)") }
    if fate == "purge" {
      if !seen.isEmpty { faults.append("not purged: \(seen)") }
    } else {
      let missing = promised.split(separator: "\n").map(String.init).filter { !seen.contains($0) }
      if !missing.isEmpty { faults.append("missing: \(missing)") }
    }
    return faults
  }
}
