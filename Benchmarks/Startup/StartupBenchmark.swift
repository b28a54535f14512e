import CShim
import ConclaveBus
import Glibc

/// What scripts pay for each call of the command.
enum StartupBenchmark: Benchmark {
  static let name = "startup"
  static let question = "from exec to exit, median"

  static func run(_ setting: Setting, _ record: inout Record) throws {
    let command = try Program.besides("conclave")
    let count = setting.size(50, quick: 3)
    try Scratch.with { scratch in
      func publish(_ transport: String) -> [String] {
        [
          command, "bus", "publish", "bench", "--sender", "bench", "--type", "b", "--payload", "{}",
          "--bus-dir", scratch.path, "--transport", transport,
        ]
      }
      let cases = [
        ("/bin/true", ["/bin/true"]), ("conclave --version", [command, "--version"]),
        ("conclave bus publish, shm", publish("shm")),
        ("conclave bus publish, file", publish("file")),
      ]
      // Turn by turn, so that what disturbs one disturbs all.
      var times = cases.map { _ in [Double]() }
      for _ in 0..<count {
        try setting.interruption.check()
        for (index, entry) in cases.enumerated() {
          times[index].append(try Program.milliseconds(entry.1))
        }
      }
      for (entry, times) in zip(cases, times) { record.add(entry.0, middle(of: times), "ms") }
    }
  }
}

/// Other programs, timed.
enum Program {
  /// The program of this name in the directory of this one.
  static func besides(_ name: String) throws -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
    let bytes = buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
    let own = String(decoding: bytes, as: UTF8.self)
    let directory = own.prefix(upTo: own.lastIndex(of: "/") ?? own.startIndex)
    let path = "\(directory)/\(name)"
    guard unsafe access(path, X_OK) == 0 else {
      throw BenchmarkFailure("there is no \(path); build it first")
    }
    return path
  }

  /// Runs a program that must succeed, its output thrown away.
  static func milliseconds(_ words: [String]) throws -> Double {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
    defer { unsafe arguments.forEach { unsafe free($0) } }
    var pid: pid_t = 0
    var status: Int32 = 0
    let start = conclave_monotonic_ns()
    let failure = unsafe posix_spawn(&pid, words[0], &actions, nil, &arguments, environ)
    guard failure == 0 else {
      throw BenchmarkFailure("cannot start \(words[0]): \(systemText(failure))")
    }
    while unsafe waitpid(pid, &status, 0) < 0, errno == EINTR {}
    let end = conclave_monotonic_ns()
    guard status == 0 else {
      throw BenchmarkFailure("\(words.prefix(3).joined(separator: " ")) failed")
    }
    return Double(end - start) / 1e6
  }
}
