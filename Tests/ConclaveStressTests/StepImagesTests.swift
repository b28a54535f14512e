import BusTesting
import Testing

/// Segments of any contents: some of them; `swift run -c release conclave-step images` has ten
/// million. What it notices `Tests/Seeds/run` shows.
@Suite(.heavy) struct StepImagesTests {
  @Test func nobodyDiesOfThem() async throws {
    let result = try await TestProgram.step.run(["images", "--count", "100000", "--seed", "7"])
    #expect(result.exit == .code(0), "\(result.said)")
    #expect(result.said.contains("images of seed 7: 100000,"), "\(result.said)")
    for count in [" 0 records", " 0 refused", " 0 believed"] {
      #expect(!result.said.contains(count), "\(result.said)")
    }
  }

  /// An image can be tried alone, and is the same then.
  @Test func oneOfThem() async throws {
    let once = try await TestProgram.step.run(["images", "--seed", "7", "--image", "4711"])
    let again = try await TestProgram.step.run(["images", "--seed", "7", "--image", "4711"])
    #expect(once.exit == .code(0), "\(once.said)")
    #expect(once.said.hasPrefix("images of seed 7: 1,") && once.said == again.said)
  }
}
