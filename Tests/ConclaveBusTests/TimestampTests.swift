import ConclaveBus
import Testing

@Suite struct TimestampTests {
  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00.000000000Z"),
      (951_782_400_000_000_001, "2000-02-29T00:00:00.000000001Z"),
      (1_763_715_900_123_456_789, "2025-11-21T09:05:00.123456789Z"),
      (4_107_542_399_999_999_999, "2100-02-28T23:59:59.999999999Z"),
      (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z"),
      (.max, "2554-07-21T23:34:33.709551615Z"),
    ] as [(UInt64, String)])
  func writesAndReads(_ nanoseconds: UInt64, _ text: String) {
    let timestamp = Timestamp(nanosecondsSinceEpoch: nanoseconds)
    #expect(timestamp.description == text)
    #expect(Timestamp(rfc3339: text) == timestamp)
  }

  @Test(
    arguments: [
      ("2025-11-21T09:05:00Z", 1_763_715_900_000_000_000),
      ("2025-11-21t09:05:00z", 1_763_715_900_000_000_000),
      ("2025-11-21T09:05:00.1Z", 1_763_715_900_100_000_000),
      ("2025-11-21T09:05:00.1234567899Z", 1_763_715_900_123_456_789),
      ("2025-11-21T10:05:00.5+01:00", 1_763_715_900_500_000_000),
      ("2025-11-21T03:35:00-05:30", 1_763_715_900_000_000_000),
      ("1969-12-31T23:00:00-01:00", 0),
      ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000),
    ] as [(String, UInt64)])
  func readsWhatOthersWrite(_ text: String, _ nanoseconds: UInt64) {
    #expect(Timestamp(rfc3339: text)?.nanosecondsSinceEpoch == nanoseconds)
  }

  @Test(arguments: [
    "", "2025-11-21", "2025-11-21T09:05Z", "2025-11-21T09:05:00", "2025-11-21T09:05:00.Z",
    "2025-11-21 09:05:00Z", "2025-11-21T09:05:00Zx", "2025-11-21T24:00:00Z", "2025-11-21T09:60:00Z",
    "2025-11-21T09:05:61Z", "2025-13-01T00:00:00Z", "2025-00-01T00:00:00Z", "2025-02-29T00:00:00Z",
    "2100-02-29T00:00:00Z", "2025-11-00T00:00:00Z", "1969-12-31T23:59:59Z", "2554-07-21T23:34:34Z",
    "2025-11-21T09:05:00+0100", "2025-11-21T09:05:00+24:00", "٢٠٢٥-11-21T09:05:00Z",
  ])
  func refuses(_ text: String) { #expect(Timestamp(rfc3339: text) == nil) }

  @Test func everyDayOfFourCenturiesComesBack() {
    var last = ""
    for day in 0..<UInt64(146_097) {
      let timestamp = Timestamp(nanosecondsSinceEpoch: day * 86_400_000_000_000 + 7)
      let text = timestamp.description
      #expect(text > last && Timestamp(rfc3339: text) == timestamp)
      last = text
    }
  }
}
