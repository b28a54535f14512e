import BusTesting
import Foundation
import Testing

/// Small storms over mirrored buses; `swift run -c release conclave-storm --kills 10000` is a large
/// one.
@Suite struct MirrorStormTests {
  private func storm(_ words: [String]) async throws -> (exit: ChildProcess.Exit, said: String) {
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
      .deletingLastPathComponent().appendingPathComponent("conclave-storm").path
    let child = try ChildProcess(program, words)
    return try await onThread {
      (try child.wait(within: .seconds(600)), child.standardOutput + child.standardError)
    }
  }

  @Test func nothingIsLostWhoeverIsKilled() async throws {
    let result = try await storm(["--kills", "150", "--limit", "500"])
    #expect(result.exit == .code(0), "\(result.said)")
  }

  /// A write may end at any byte.
  @Test func shortWrites() async throws {
    let result = try await storm(["--sweep", "short"])
    #expect(result.exit == .code(0), "\(result.said)")
  }

  /// strace lets a chosen system call kill its process, or fail.
  @Test(
    .enabled("strace may trace here") { try await straceWorks() },
    arguments: ["kills", "errors"])
  func everySystemCall(_ sweep: String) async throws {
    let result = try await storm(["--sweep", sweep])
    #expect(result.exit == .code(0), "\(result.said)")
  }
}

/// Whether strace is there, and the system lets it trace.
private func straceWorks() async throws -> Bool {
  guard FileManager.default.isExecutableFile(atPath: "/usr/bin/strace") else { return false }
  let child = try ChildProcess("/usr/bin/strace", ["-f", "-o", "/dev/null", "true"])
  return try await onThread { try child.wait() == .code(0) }
}
