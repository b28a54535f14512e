import BusTesting
import Testing

/// Death and stopping at a sample of the instructions of a mirror's term, with the rotation of its
/// files; `swift run -c release conclave-step mirror` steps through all.
@Suite(.heavy, .enabled("strace may trace here") { try await straceWorks() })
struct MirrorStepTests {
  @Test func nothingIsLostByAMirror() async throws {
    let result = try await TestProgram.step.run([
      "mirror", "--window", "40", "--every", "500", "--places", "12",
    ])
    #expect(result.exit == .code(0), "\(result.said)")
    let lines = result.said.split(separator: "\n")
    #expect(lines.count == 9 && lines.last?.hasSuffix(" in all, 0 faults") == true)
    for way in ["kill", "stop", "pairs"] {
      let tried = lines.filter { $0.hasPrefix("\(way) mirror") && !$0.contains(": 0 places") }
      #expect(tried.count == 2, "\(result.said)")
    }
    let isHeldUp = lines.contains { $0.contains("held up at") && !$0.contains("held up at 0") }
    #expect(isHeldUp, "\(result.said)")
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let defect: String
    let way: String
    let fault: String
    var testDescription: String { "\(defect), \(way)" }

    init(_ defect: String, _ way: String, _ fault: String) {
      (self.defect, self.way, self.fault) = (defect, way, fault)
    }
  }

  /// Each for the reason that is it.
  @Test(
    .enabled("defects are in debug builds only") { isDebugBuild },
    arguments: [
      Case("commitsFirst", "snapshot", "is in no file"),
      Case("writesTwice", "snapshot", "is the second at"),
      Case("keepsTornLines", "snapshot", "is what nobody has published"),
      Case("forgetsBeginnings", "snapshot", "the beginning of the message"),
      Case("commitsFirst", "kill", "of burst, who has sent 1 to"),
      Case("writesTwice", "kill", "is the second at"),
      Case("writesTwice", "pairs", "is the second at"),
    ])
  func defectsAreNoticed(_ planted: Case) async throws {
    let result = try await TestProgram.step.run([
      "mirror", "--window", "40", "--every", "500", "--places", "12", "--defect", planted.defect,
      planted.way,
    ])
    #expect(result.exit == .code(1), "\(result.said)")
    #expect(result.said.contains("FAULT \(planted.way) mirror"), "\(result.said)")
    #expect(result.said.contains(planted.fault), "\(result.said)")
  }
}
