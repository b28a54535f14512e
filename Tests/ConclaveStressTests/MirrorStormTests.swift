import BusTesting
import Testing

/// A small storm over a mirrored bus, and a sample of each sweep. On the command line
/// `conclave-storm --kills 10000` is a large one, and `--sweep` tries all places.
@Suite(.heavy) struct MirrorStormTests {
  @Test func nothingIsLostWhoeverIsKilled() async throws {
    let result = try await TestProgram.storm.run(["--kills", "150", "--limit", "500"])
    #expect(result.exit == .code(0), "\(result.said)")
  }

  /// Not in whatever way somebody sets the wall clock meanwhile.
  @Test func theClockMayBeSet() async throws {
    let words = ["--kills", "150", "--limit", "500", "--clock-steps"]
    let result = try await TestProgram.storm.run(words)
    #expect(result.exit == .code(0), "\(result.said)")
    #expect(result.said.contains("the wall clock was set"), "\(result.said)")
  }

  /// A write may end at any byte.
  @Test func shortWrites() async throws {
    let result = try await TestProgram.storm.run(["--sweep", "short", "--every", "9"])
    #expect(result.exit == .code(0), "\(result.said)")
  }

  @Test(.enabled("needs root, for mounting") { try await onThread { LoopDisk.works() } })
  func powerCuts() async throws {
    let result = try await TestProgram.storm.run(["--cuts", "3"])
    #expect(result.exit == .code(0), "\(result.said)")
  }

  /// strace lets a chosen system call kill its process, or fail.
  @Test(
    .enabled("strace may trace here") { try await straceWorks() },
    arguments: ["kills", "errors", "torn", "sessions"])
  func systemCalls(_ sweep: String) async throws {
    let result = try await TestProgram.storm.run(["--sweep", sweep, "--every", "9"])
    #expect(result.exit == .code(0), "\(result.said)")
  }
}
