import BusTesting
import Testing

/// Many participants of one ring, killed and stopped: a short while of it;
/// `swift run -c release conclave-step storm` has 10,000 kills.
@Suite(.heavy) struct StepStormTests {
  @Test(arguments: [["--kills", "400"], ["--cycles", "2000"]])
  func nothingIsLostUnsaid(_ words: [String]) async throws {
    let result = try await TestProgram.step.run(["storm"] + words)
    #expect(result.exit == .code(0), "\(result.said)")
    #expect(result.said.contains("\(words[1]) publishers"), "\(result.said)")
    #expect(!result.said.contains(" 0 messages"), "\(result.said)")
  }

  @Test func whatIsOnlySaidToBeSentIsMissed() async throws {
    let result = try await TestProgram.step.run(["storm", "--kills", "200", "--defect"])
    #expect(result.exit == .code(1), "\(result.said)")
    #expect(result.said.contains("sent is not what has come"), "\(result.said)")
  }
}
