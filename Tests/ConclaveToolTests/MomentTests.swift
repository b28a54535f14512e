import ConclaveBus
import Testing

@testable import ConclaveTool

@Suite struct MomentTests {
  private static let now = Timestamp(nanosecondsSinceEpoch: 1_000_000_000_000)

  @Test(arguments: [
    ("7-9", Moment.message(MessageID(process: 7, counter: 9))),
    ("1970-01-01T00:00:01.5Z", .time(Timestamp(nanosecondsSinceEpoch: 1_500_000_000))),
    ("-10m", .time(Timestamp(nanosecondsSinceEpoch: 400_000_000_000))),
    ("-0", .time(now)), ("-1.5", .time(Timestamp(nanosecondsSinceEpoch: 998_500_000_000))),
    ("-100h", .time(Timestamp(nanosecondsSinceEpoch: 0))),
  ])
  func forms(_ text: String, _ moment: Moment) {
    #expect(Moment(text, now: Self.now) == moment)
  }

  @Test(arguments: ["", "-", "now", "10m", "10m ago", "--10m", "-1x", "1-2-3", "2026-11-21"])
  func nonsense(_ text: String) { #expect(Moment(text) == nil) }
}

@Suite struct ReplayPaceTests {
  private func seconds(_ count: UInt64) -> Timestamp {
    Timestamp(nanosecondsSinceEpoch: count * 1_000_000_000)
  }

  @Test func distancesAreKeptInProportion() {
    let start = ContinuousClock.now
    var pace = ReplayPace(speed: 2)
    #expect(pace.wait(before: seconds(100), now: start) == .zero)
    #expect(pace.wait(before: seconds(110), now: start) == .seconds(5))
    #expect(pace.wait(before: seconds(110), now: start + .seconds(4)) == .seconds(1))
    // Late, or from a clock that went back: at once.
    #expect(pace.wait(before: seconds(112), now: start + .seconds(7)) < .zero)
    #expect(pace.wait(before: seconds(50), now: start) == .zero)
  }

  @Test func nothingIsTooFarApart() {
    let start = ContinuousClock.now
    var pace = ReplayPace(speed: 1e-300)
    #expect(pace.wait(before: Timestamp(nanosecondsSinceEpoch: 0), now: start) == .zero)
    #expect(
      pace.wait(before: Timestamp(nanosecondsSinceEpoch: .max), now: start) > .seconds(86400 * 365))
  }
}
