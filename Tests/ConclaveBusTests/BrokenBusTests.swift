import BusTesting
import Testing

/// The suite is only worth what it catches: each planted defect must break the rule that is there
/// for it.
@Suite struct BrokenBusTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let fault: Fault
    let rule: String
    var testDescription: String { "\(fault): \(rule)" }
  }

  static let cases: [Case] = [
    (.skipsANumber, "seq counts 1, 2, 3 per sender and topic, however it is published"),
    (.deliversTwice, "seq counts 1, 2, 3 per sender and topic, however it is published"),
    (.countsPerProcess, "a subscription to one topic sees no false gap"),
    (.repeatsIDs, "ids are well formed, unique and rise in one process"),
    (.changesPayloads, "a payload arrives byte for byte"),
    (.limitsTooEarly, "payloads of every size arrive byte for byte"),
    (.matchesByLetters, "a prefix matches whole segments"),
    (.swapsNeighbours, "all subscriptions see one order, each sender's its own"),
    (.losesTheFirst, "a subscription begins with the first message after subscribe returned"),
    (.losesAMessage, "a slow reader with back pressure misses nothing"),
    (.losesAMessage, "50 publishers lose nothing"),
    (.ignoresKeys, "a message with an idempotency key is published once on its topic"),
    (.ignoresWake, "cancelling a task ends its wait and nothing else"),
    (.endsWithoutTheBuffered, "close ends subscriptions after what they hold"),
    (.ignoresClose, "everything but reading fails after close, always alike"),
    (.ignoresClose, "close wakes whoever waits for a message"),
    (.publishesAfterClose, "everything but reading fails after close, always alike"),
    (.unsubscribesTooMuch, "unsubscribe ends the subscriptions to exactly that prefix, at once"),
    (.unsubscribesNothing, "unsubscribe ends the subscriptions to exactly that prefix, at once"),
    (.unsubscribesNothing, "unsubscribe releases publishers"),
    (.dropsInsteadOfWaiting, "a publish that must not wait returns how many fitted"),
    (.dropsInsteadOfWaiting, "a message goes to all subscriptions or to none"),
    (.hidesTimeouts, "back pressure ends with its time-out, and loses nothing"),
    (.hidesGaps, "each lost message is counted once, in its place"),
    (.understatesGaps, "each lost message is counted once, in its place"),
    (.tellsGapsLate, "losses are told even when no message follows"),
    (.warnsTwice, "there is one warning for each episode of losses"),
    (.waitsInsteadOfDropping, "publishers never wait for a subscription that drops"),
    (.deliversTwice, "a random script gives what the model of a bus gives"),
    (.matchesByLetters, "a random script gives what the model of a bus gives"),
  ].map { Case(fault: $0, rule: $1) }

  @Test(arguments: cases)
  func isCaught(_ test: Case) async throws {
    let rule = try #require(ConformanceRule.all.first { $0.name == test.rule })
    // Several defects show by a message that never comes; nobody needs to wait long for that.
    await #expect(throws: ConformanceFailure.self) {
      try await rule.run(on: BrokenFixture(test.fault), patience: .milliseconds(200))
    }
  }

  @Test func everyFaultIsTried() {
    #expect(Set(Self.cases.map(\.fault)) == Set(Fault.allCases))
  }

  /// What catches the defects is not the wrapper.
  @Test(arguments: ConformanceRule.all.filter { $0.applies(to: BrokenFixture(nil)) })
  func withoutAFaultAllRulesAreKept(_ rule: ConformanceRule) async throws {
    try await rule.run(on: BrokenFixture(nil))
  }
}
