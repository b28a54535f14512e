import BusTesting
import ConclaveBus
import Testing

@testable import ConclaveRunner

/// Loops that get nowhere.
@Suite struct StuckTests {
  /// Everything that a test run prints differs, but not what is wrong.
  static let noisyTests = """
    t=$(date +%N | sed 's/^0*//')
    printf '\\033[31m[%s] FAIL\\033[0m one (0.%ss)\\n' "$(date +%H:%M:%S)" "$t"
    echo "pid $$ at 0x7f$t in /tmp/run-$t/x: error: not good"
    [ $((t % 2)) = 0 ] && { echo "FAIL a"; echo "FAIL b"; } || { echo "FAIL b"; echo "FAIL a"; }
    exit 1
    """

  @Test func theThirdEqualFailureIsOneTooMany() async throws {
    let world = try LoopWorld(tests: StuckTests.noisyTests)
    let outcome = try await world.run("echo $n > work") { $0.maxIterations = 4 }
    let attempts = outcome.state.attempts
    #expect(Set(attempts.map(\.hash)).count == 1)
    #expect(attempts.map { $0.verdict.isEmpty } == [true, true, false, true])
    #expect(attempts[2].verdict == "shift 1: the same error 3 times in a row")
    #expect(attempts.map(\.shift) == [false, false, false, true])
    #expect(world.prompt(4).contains("Read This First"))
    #expect(!world.prompt(3).contains("Read This First"))
  }

  @Test func twoShiftsThenTheEnd() async throws {
    let world = try LoopWorld(tests: StuckTests.noisyTests)
    let outcome = try await world.run("echo $n > work") { $0.maxIterations = 50 }
    #expect(outcome.end == .failed && outcome.state.iteration == 9)
    #expect(outcome.state.strategyShifts == 2 && outcome.state.reason.hasPrefix("stuck: "))
    #expect(outcome.state.attempts.last?.verdict == "stop: the same error 3 times in a row")
  }

  @Test func whatLooksUnknownIsToldMore() async throws {
    let world = try LoopWorld(tests: "echo 'error: module foo not found'; exit 1")
    let outcome = try await world.run("echo $n > work") { $0.maxIterations = 50 }
    #expect(outcome.state.iteration == 12 && outcome.state.toldMore)
    #expect(world.prompt(10).contains("## About This Repository"))
    #expect(world.prompt(10).contains("test.sh\nwork"))
    #expect(!world.prompt(9).contains("## About This Repository"))
  }

  @Test func turnsOfTwoErrors() {
    let judge = StuckJudge(threshold: 3)
    #expect(judge.advice(attempts("ABA"), shifts: 0, hasToldMore: false) == .goOn)
    #expect(
      judge.advice(attempts("ABAB"), shifts: 0, hasToldMore: false)
        == .shiftStrategy("two errors take turns"))
    #expect(judge.advice(attempts("ABAC"), shifts: 0, hasToldMore: false) == .goOn)
  }

  @Test func differentErrorsAreProgress() {
    let judge = StuckJudge(threshold: 3)
    #expect(judge.advice(attempts("AABBCCAABB"), shifts: 0, hasToldMore: false) == .goOn)
    #expect(judge.advice([], shifts: 0, hasToldMore: false) == .goOn)
  }

  @Test func noDifference() {
    var three = attempts("ABC")
    for index in three.indices { three[index].tree = "same" }
    #expect(
      StuckJudge(threshold: 3).advice(three, shifts: 0, hasToldMore: false)
        == .shiftStrategy("no difference after 3 attempts"))
  }

  private func attempts(_ hashes: String) -> [LoopAttempt] {
    hashes.enumerated().map { index, hash in
      LoopAttempt(
        iteration: index + 1, gate: "tests", hash: String(hash), tree: "\(index)")
    }
  }
}

@Suite struct ErrorFingerprintTests {
  @Test(arguments: [
    ("error: x (0.12s)", "error: x (3.4s)"), ("error after 12 ms", "error after 7 ms"),
    ("12:00:01 error", "23:59:59.123 error"),
    ("2026-01-01T00:00:00Z fail", "2025-12-31T1:1:1 fail"),
    ("error at 0xdeadbeef!", "error at 0x1!"), ("fail in /tmp/a1/b", "fail in /tmp/zz9/c"),
    ("\u{1B}[31merror\u{1B}[0m", "error"), ("pid 12 failed", "pid 345 failed"),
    ("==12== error", "==345== error"), ("fail time=\"0.1\"", "fail time=\"22\""),
    ("error 3f2504e0-4f89-11d3-9a0c-0305e82c3301", "error 7d444840-9dc0-11d1-b245-5ffdce74fad2"),
    ("FAIL b\nFAIL a", "FAIL a\nFAIL b"), ("error: x\nran 12 tests", "error: x\nran 13 tests"),
  ])
  func same(_ one: String, _ other: String) {
    #expect(ErrorFingerprint.of(one) == ErrorFingerprint.of(other))
  }

  @Test(arguments: [
    ("error: expected 41", "error: expected 42"), ("a.c:12:3: error", "a.c:13:3: error"),
    ("error: foo", "error: bar"), ("FAIL a", "FAIL a\nFAIL b"), ("", "error"),
    ("exit code 1", "exit code 2"),
  ])
  func different(_ one: String, _ other: String) {
    #expect(ErrorFingerprint.of(one) != ErrorFingerprint.of(other))
  }

  @Test func hugeAndStrangeTextsHaveOneToo() {
    #expect(ErrorFingerprint.of("").count == 16)
    #expect(ErrorFingerprint.of(String(repeating: "\u{1B}[\u{1B}]0", count: 1000)).count == 16)
    #expect(ErrorFingerprint.of(String(repeating: "(((\n", count: 100_000)).count == 16)
  }
}
