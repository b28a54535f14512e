import BusTesting
import Testing

/// The storms and sweeps are only worth what they notice: each planted defect must be found by the
/// one that is there for it, for the reason that is it.
@Suite(.heavy, .enabled("defects are in debug builds only") { isDebugBuild })
struct MirrorDefectTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let defect: String
    let words: [String]
    let fault: String
    var testDescription: String { "\(defect): \(words.joined(separator: " "))" }

    init(_ defect: String, _ words: [String], _ fault: String) {
      (self.defect, self.words, self.fault) = (defect, words, fault)
    }
  }

  @Test(arguments: [
    Case("trustsShortWrites", ["--sweep", "short"], "should be"),
    // In whatever way: a publisher is told, or a subscriber misses it.
    Case("forgetsBeginnings", ["--kills", "5000"], "FAULT"),
    Case("leavesOutTheNext", ["--kills", "50"], "something else came"),
    Case("forgetsAcknowledgements", ["--kills", "100"], "which was acknowledged"),
  ])
  func isNoticed(_ planted: Case) async throws { try await expectNoticed(planted) }

  @Test(
    .enabled("strace may trace here") { try await straceWorks() },
    arguments: [
      Case("commitsFirst", ["--sweep", "kills"], "missing: first"),
      Case("writesTwice", ["--sweep", "kills"], "comes twice"),
      Case("keepsTornLines", ["--sweep", "torn"], "damaged lines"),
      Case("ignoresFailedSyncs", ["--sweep", "errors"], "the sync failed"),
      Case("failsWhenInterrupted", ["--sweep", "errors"], "the mirror said that it failed"),
      Case("ignoresInterruptions", ["--sweep", "errors"], "missing: first"),
    ])
  func isNoticedBySystemCalls(_ planted: Case) async throws { try await expectNoticed(planted) }

  @Test(
    .enabled("needs root, for mounting") { try await onThread { LoopDisk.works() } },
    arguments: [Case("ignoresSyncInterval", ["--cuts", "3"], "mirrored: w")])
  func isNoticedByPowerCuts(_ planted: Case) async throws { try await expectNoticed(planted) }

  private func expectNoticed(_ planted: Case) async throws {
    let result = try await TestProgram.storm.run(planted.words + ["--defect", planted.defect])
    #expect(result.exit != .code(0) && result.exit != .code(2), "\(result.said)")
    #expect(result.said.contains("FAULT"), "\(result.said)")
    #expect(result.said.contains(planted.fault), "\(result.said)")
  }
}

var isDebugBuild: Bool {
  #if DEBUG
    true
  #else
    false
  #endif
}
