import BusTesting
import Testing

/// Death and stopping at a sample of the instructions of what participants of the ring do;
/// `swift run -c release conclave-step` tries all.
@Suite(.heavy, .enabled("strace may trace here") { try await straceWorks() })
struct StepTests {
  @Test(arguments: [("kill", 19), ("stop", 19), ("snapshot", 18), ("pairs", 7)])
  func nobodyElseIsConcerned(_ way: String, _ cases: Int) async throws {
    // Of copies at least one whole stretch is judged, however few are asked for.
    let result = try await TestProgram.step.run([way, "--places", way == "pairs" ? "2" : "15"])
    #expect(result.exit == .code(0), "\(result.said)")
    let lines = result.said.split(separator: "\n")
    #expect(lines.count == cases + 1 && lines.last?.hasSuffix(" in all, 0 faults") == true)
  }

  @Test func hostileChangesHarmNobody() async throws {
    let result = try await TestProgram.step.run(["flip", "--places", "6"])
    #expect(result.exit == .code(0), "\(result.said)")
    let lines = result.said.split(separator: "\n")
    #expect(lines.count == 9 && lines.last?.hasSuffix(" in all, 0 faults") == true)
  }

  @Test func nobodyDiesOfACutFile() async throws {
    let result = try await TestProgram.step.run(["truncate", "--places", "25"])
    #expect(result.exit == .code(0), "\(result.said)")
    let lines = result.said.split(separator: "\n")
    #expect(lines.count == 9 && lines.last?.hasSuffix(" in all, 0 faults") == true)
  }

  /// Of a whole life, which makes some 170.
  @Test func aSystemCallMayFail() async throws {
    let result = try await TestProgram.step.run(["calls"])
    #expect(result.exit == .code(0), "\(result.said)")
    let lives = result.said.split(separator: " ").compactMap { Int($0) }
    #expect(lives.count == 3 && lives.allSatisfy { $0 > 100 }, "\(result.said)")
    let defective = try await TestProgram.step.run(["calls", "--defect"])
    #expect(defective.exit == .code(1), "\(defective.said)")
  }

  /// How long is a matter of the machine; that everybody comes is not.
  @Test func deathsAreMeasured() async throws {
    let result = try await TestProgram.step.run(["stalls", "--kills", "10"])
    #expect(result.exit == .code(0), "\(result.said)")
    #expect(result.said.contains("another publisher waited"), "\(result.said)")
  }

  /// Between the check of a length and its use somebody changes it.
  @Test func aSecondFetchIsNoticed() async throws {
    let result = try await TestProgram.step.run(
      ["flip", "--places", "80", "--defect", "--field", "record.bytes", "receive"])
    #expect(result.exit == .code(1), "\(result.said)")
    #expect(result.said.contains("dies of signal"), "\(result.said)")
  }

  @Test func eachWordIsFetchedOnce() async throws {
    let result = try await TestProgram.step.run(["fetches"])
    #expect(result.exit == .code(0), "\(result.said)")
    let isAble = !result.said.contains("no watchpoints")
    #expect(!isAble || result.said.contains("record.kind 1, record.first 1"), "\(result.said)")
    let defective = try await TestProgram.step.run(["fetches", "--defect"])
    #expect(!isAble || defective.exit == .code(1), "\(defective.said)")
  }
}
