import Testing

@testable import ConclaveBus

/// When a subscription stops listening to each append, and when it listens again.
@Suite struct StreamPaceTests {
  private static let millisecond: UInt64 = 1_000_000
  private var now: UInt64 = 1 << 40
  private var pace = StreamPace(at: 1 << 40)

  /// Notes `looks` looks, evenly spaced over a time, that bring `count` messages each.
  private mutating func look(_ looks: UInt64, over milliseconds: UInt64, bringing count: Int) {
    for _ in 0..<looks {
      now += milliseconds * StreamPaceTests.millisecond / looks
      pace.note(count, at: now)
    }
  }

  @Test mutating func callsNothingRareAStream() {
    look(100, over: 100, bringing: 1)
    #expect(!pace.isStream)
    look(2800, over: 100, bringing: 1)
    #expect(!pace.isStream)
    // Rare batches, too, should be heard of at once.
    look(100, over: 100, bringing: 1000)
    #expect(!pace.isStream)
    // Looks that find nothing say nothing.
    look(10_000, over: 100, bringing: 0)
    #expect(!pace.isStream)
  }

  @Test mutating func callsManyFindsAStreamAtOnce() {
    look(100, over: 2, bringing: 1)
    #expect(pace.isStream)
  }

  @Test mutating func seesAStreamAfterALongSilence() {
    look(1, over: 3_600_000, bringing: 1)
    look(100, over: 2, bringing: 1)
    #expect(pace.isStream)
  }

  @Test mutating func goesOnWithFewLooksThatBringMuch() {
    look(100, over: 2, bringing: 1)
    look(1000, over: 1000, bringing: 100)
    #expect(pace.isStream)
    // A pause of some milliseconds is not the end.
    look(5, over: 5, bringing: 0)
    #expect(pace.isStream)
    look(100, over: 100, bringing: 100)
    #expect(pace.isStream)
  }

  @Test mutating func endsSoonWhenLittleComes() {
    look(100, over: 2, bringing: 1)
    look(20, over: 20, bringing: 1)
    #expect(!pace.isStream)
  }

  /// Questions and answers that were taken for a stream are left alone for most of the time.
  @Test mutating func isNotMistakenAgainSoon() {
    look(100, over: 2, bringing: 1)
    look(20, over: 20, bringing: 1)
    look(8000, over: 80, bringing: 1)
    #expect(!pace.isStream)
    look(4000, over: 40, bringing: 1)
    #expect(pace.isStream)
  }

  @Test mutating func givesUpForGood() {
    look(100, over: 2, bringing: 1)
    pace.giveUp()
    #expect(!pace.isStream)
    look(100_000, over: 1000, bringing: 1)
    #expect(!pace.isStream)
  }
}
