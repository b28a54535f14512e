import BusTesting
import SharedRing
import Testing

/// Counters that have come far: what would take days is set, not waited for.
@Suite struct WrapTests {
  /// Sets ring and lanes as if `records` records and `granules` granules had been.
  private func age(_ ring: TestRing, records: UInt64, granules: UInt64) throws {
    // Makes the segment.
    try ring.publisher().die()
    try RawSegment(ring).age(records: records, granules: granules)
  }

  private static let period: UInt64 = 1 << 34

  /// Laps are told apart by 28 bits, places in a lane by 28: both wrap in the middle of this.
  @Test(
    arguments: [
      1000, period - 64, period - 100, period - 1, period, 3 * period - 30, 1 << 31 - 2,
      1 << 32 - 2, 1 << 63 - 2, .max - 1,
    ] as [UInt64],
    [
      1 << 20, 1 << 28 - 100, 1 << 31 - 2, 1 << 32 - 50, 1 << 40 - 3, 1 << 63 - 2, .max - 1,
    ] as [UInt64])
  func everythingGoesOn(_ records: UInt64, _ granules: UInt64) throws {
    let ring = try TestRing()
    try age(ring, records: records, granules: granules)
    let publishers = try (0..<2).map { _ in try ring.publisher() }
    let subscribers = try RingSubscriber.Policy.all.map { try ring.subscriber($0) }
    // The last ones are taken for others that slots cannot tell from them.
    let first = records == .max - 1 ? records % Self.period : records
    for number in 0..<300 {
      let bytes = content(0, number, size: 1 + number * 13 % 4000)
      #expect(try publishers[number % 2].publish(bytes))
      for subscriber in subscribers {
        let received = subscriber.readAll()
        #expect(received.losses.isEmpty)
        try #require(received.bytes == [bytes])
        #expect(received.messages[0].place.position == first + UInt64(number))
      }
    }
    #expect(try RingSnapshot(of: ring.location)?.frontier == first + 300)
  }

  /// The same without a usable hint: found by looking.
  @Test(arguments: [1000, period - 64, period - 63, period - 1, period, period + 1] as [UInt64])
  func frontierByLooking(_ records: UInt64) throws {
    for hint in [0, records - 64, records + 1, records + 63, records + 64, records + 200] {
      let ring = try TestRing()
      try age(ring, records: records, granules: 1 << 20)
      let segment = try RawSegment(ring)
      segment[segment.tail] = hint
      let subscriber = try ring.subscriber()
      #expect(subscriber.position % Self.period == records % Self.period, "hint \(hint)")
      if hint != 0 { #expect(subscriber.position == records, "hint \(hint)") }
      let publisher = try ring.publisher()
      #expect(try publisher.publish([3]))
      #expect(subscriber.readAll().bytes == [[3]], "hint \(hint)")
    }
  }

  /// A dropping reader that is lapped across the wrap counts right.
  @Test func lappedAcrossTheWrap() throws {
    let ring = try TestRing()
    let records = Self.period - 40
    try age(ring, records: records, granules: 1 << 28 - 20)
    let publisher = try ring.publisher()
    let subscriber = try ring.subscriber()
    for number in 0..<500 { try publisher.publish(numbered(0, number)) }
    let received = subscriber.readAll()
    #expect(UInt64(received.messages.count) + received.lostPositions == 500)
    #expect(received.messages.allSatisfy { identify($0.bytes) != nil })
    #expect(received.damaged == 0)
  }
}
