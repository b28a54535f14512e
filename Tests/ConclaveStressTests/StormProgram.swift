import BusTesting
import Foundation

/// The executable of the storms, beside the test bundle.
enum StormProgram {
  static func run(_ words: [String]) async throws -> (exit: ChildProcess.Exit, said: String) {
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent().appendingPathComponent("conclave-storm").path
    let child = try ChildProcess(program, words)
    return try await onThread {
      (try child.wait(within: .seconds(600)), child.standardOutput + child.standardError)
    }
  }
}

/// Whether strace is there, and the system lets it trace.
func straceWorks() async throws -> Bool {
  guard FileManager.default.isExecutableFile(atPath: "/usr/bin/strace") else { return false }
  let child = try ChildProcess("/usr/bin/strace", ["-f", "-o", "/dev/null", "true"])
  return try await onThread { try child.wait() == .code(0) }
}
