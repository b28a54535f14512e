import BusTesting
import Testing

/// Small storms over mirrored buses; `swift run -c release conclave-storm --kills 10000` is a large
/// one.
@Suite struct MirrorStormTests {
  @Test func nothingIsLostWhoeverIsKilled() async throws {
    let result = try await StormProgram.run(["--kills", "150", "--limit", "500"])
    #expect(result.exit == .code(0), "\(result.said)")
  }

  /// A write may end at any byte.
  @Test func shortWrites() async throws {
    let result = try await StormProgram.run(["--sweep", "short"])
    #expect(result.exit == .code(0), "\(result.said)")
  }

  /// strace lets a chosen system call kill its process, or fail.
  @Test(
    .enabled("strace may trace here") { try await straceWorks() },
    arguments: ["kills", "errors", "torn", "sessions"])
  func everySystemCall(_ sweep: String) async throws {
    let result = try await StormProgram.run(["--sweep", sweep])
    #expect(result.exit == .code(0), "\(result.said)")
  }
}
