import BusTesting
import Testing

/// A few rounds of the storm over runs of plans; `swift run -c release conclave-storm --fleet 1000`
/// has many. Among the tests of the doctor, since rounds have it clear the host.
extension DoctorTests {
  @Test(.heavy) func nothingIsLeftWheneverARunIsKilled() async throws {
    let result = try await TestProgram.storm.run(["--fleet", "8", "--seed", "1"])
    #expect(result.exit == .code(0), "\(result.said)")
    #expect(result.said.contains("8 rounds from seed 1"))
  }

  /// The storm is only worth what its judge notices.
  @Test(.heavy) func theJudgeNoticesEachDefect() async throws {
    let result = try await TestProgram.storm.run(["--fleet-defects"])
    #expect(result.exit == .code(0), "\(result.said)")
    #expect(result.said.contains("nameless: noticed"))
  }
}
