import BusTesting
import Glibc

/// A scratch repository with a plan, agents that are scripts, and a user's files that lie about.
struct FleetWorld {
  /// Names ``home`` in the environment of everything that is started for it.
  static let variable = "CONCLAVE_STORM_HOME"

  /// What the world is in; the repository lies in it.
  let home: String

  var top: String { "\(home)/repo ü" }
  private var environment: [String: String] {
    ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, FleetWorld.variable: home]
  }

  /// Makes the one that all rounds begin with a copy of.
  init(making home: String) throws {
    self.home = home
    guard unsafe mkdir(home, 0o700) == 0, unsafe mkdir(top, 0o700) == 0 else {
      throw SystemFailure("make \(home)")
    }
    _ = try ask(FleetScript.repository)
  }

  /// - Parameter other: copied with all times and modes.
  init(copying other: FleetWorld, to home: String) throws {
    self.home = home
    let copy = try ChildProcess("cp", ["-a", other.home, home])
    guard try copy.wait() == .code(0) else {
      throw SystemFailure("copy to \(home): \(copy.standardError)")
    }
  }

  /// Starts the command, which this program plays as well.
  func start(_ words: [String]) throws -> ChildProcess {
    try ChildProcess(SweepRun.program, words, environment: environment, workingDirectory: top)
  }

  /// What a script says, which must succeed.
  func ask(_ script: String) throws -> String {
    let child = try ChildProcess(
      "/bin/sh", ["-ec", script], environment: environment, workingDirectory: top)
    guard try child.wait() == .code(0) else {
      throw SystemFailure("see the script succeed: \(script)\n\(child.standardError)")
    }
    return child.standardOutput
  }

  /// Whether there is something in the repository's directory.
  func has(_ path: String) -> Bool { unsafe access("\(top)/\(path)", F_OK) == 0 }

  /// The plan's run that began last: the records of its journal.
  var journal: [Substring] {
    let folder = "\(top)/.conclave/parallel"
    let name = TextFile.read("\(folder)/latest").split(separator: "\n").first
    return name.map { TextFile.read("\(folder)/\($0)/journal.jsonl").split(separator: "\n") } ?? []
  }

  var hasRun: Bool { !journal.isEmpty }

  /// What begins the plan, or goes on with it.
  var words: [String] {
    let begin = ["parallel-run", "--plan", "../plan.md", "--agent", "../agent.json"]
    return hasRun
      ? ["parallel-run", "--resume"] : begin + ["--skip-spec", "--max-concurrent", "2"]
  }

  /// All processes that work for this world, or have shed everything but its name.
  var processes: Set<pid_t> {
    guard let folder = unsafe opendir("/proc") else { return [] }
    defer { unsafe closedir(folder) }
    var found: Set<pid_t> = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if let pid = pid_t(name), pid != getpid(), isMember(pid) { found.insert(pid) }
    }
    return found
  }

  private func isMember(_ pid: pid_t) -> Bool {
    // Of a process that has ended, and that nobody has asked how, both are empty.
    let environment = TextFile.read("/proc/\(pid)/environ")
    return environment.split(separator: "\0").contains("\(FleetWorld.variable)=\(home)")
      || TextFile.read("/proc/\(pid)/cmdline").contains("\(home)/")
  }

  /// For people: a line each.
  static func lines(_ processes: Set<pid_t>) -> String {
    processes.sorted().map { pid in
      let words = TextFile.read("/proc/\(pid)/cmdline").split(separator: "\0")
      return "\(pid) \(words.joined(separator: " "))"
    }.joined(separator: "; ")
  }
}
