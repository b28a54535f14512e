import BusTesting
import SharedRing
import Testing

/// Lanes whose owner died at some step of publishing, and their next owners.
@Suite struct TakeoverTests {
  private let oneLane = RingGeometry(
    slotCount: 64, laneCount: 1, laneBytes: 16_384, subscriptionCount: 4)

  /// Died after storing `reserve`, and some of the record, but before the swap: it never was.
  @Test func beforeTheSwap() throws {
    for granules in [1, 5, 64] as [UInt64] {
      let ring = try TestRing(oneLane)
      let segment: RawSegment
      let subscribers: [RingSubscriber]
      do {
        let publisher = try ring.publisher()
        subscribers = try RingSubscriber.Policy.all.map { try ring.subscriber($0) }
        segment = try RawSegment(ring)
        try publisher.publish(content(0, 0, size: 100))
        segment[segment.reserve(0)] += granules
        for granule in 2..<(2 + granules) {
          segment[segment.laneByte(0, granule) + 24] = 0xDEAD
        }
        publisher.die()
      }
      let next = try ring.publisher()
      for number in 1..<40 {
        let bytes = content(1, number, size: number * 100)
        #expect(try next.publish(bytes))
        for subscriber in subscribers {
          let received = subscriber.readAll()
          #expect(received.losses.isEmpty && received.messages.last?.bytes == bytes)
        }
      }
    }
  }

  /// Died between the swap and the store of `published`: the message is out, once.
  @Test(arguments: [1, 700, 4080])
  func behindTheSwap(_ size: Int) throws {
    let ring = try TestRing(oneLane)
    let publisher = try ring.publisher()
    let subscribers = try RingSubscriber.Policy.all.map { try ring.subscriber($0) }
    let segment = try RawSegment(ring)
    var expected: [[UInt8]] = []
    for number in 0..<50 {
      let owner = number == 0 ? publisher : try ring.publisher()
      let before = segment[segment.published(0)]
      expected.append(content(0, number, size: size))
      #expect(try owner.publish(expected[number]))
      if number % 3 == 1 { #expect(subscribers[1].readAll().losses.isEmpty) }
      if number % 3 == 2 { _ = subscribers[0].readAll() }
      segment[segment.published(0)] = before
      owner.die()
    }
    let seen = subscribers[1].readAll()
    #expect(seen.losses.isEmpty)
    #expect(seen.bytes == Array(expected.suffix(seen.messages.count)))
  }

  /// As above, and before the lane has a new owner the ring has gone round: nothing in the order
  /// ring tells any more that the message was out, but those who consumed it know.
  @Test(arguments: [1, 700, 4080])
  func behindTheSwapAndForgotten(_ size: Int) throws {
    let ring = try TestRing(
      RingGeometry(slotCount: 64, laneCount: 2, laneBytes: 16_384, subscriptionCount: 4))
    let first = try ring.publisher()
    let other = try ring.publisher()
    let subscriber = try ring.patientSubscriber()
    let segment = try RawSegment(ring)
    for round in 0..<10 {
      let owner = round == 0 ? first : try ring.publisher()
      #expect(owner.lane == first.lane)
      let before = segment[segment.published(owner.lane)]
      #expect(try owner.publish(content(0, round, size: size)))
      segment[segment.published(owner.lane)] = before
      owner.die()
      #expect(subscriber.readAll(limit: 1).bytes == [content(0, round, size: size)])
      for number in 0..<100 {
        #expect(try other.publish(content(1, number, size: 8)))
        if number % 10 == 9 { #expect(subscriber.readAll(limit: 10).losses.isEmpty) }
      }
    }
  }

  /// A row that says that it has consumed what nobody reserved is not believed by the next owner.
  @Test(arguments: [1 << 20, 1 << 40, .max] as [UInt64])
  func rowsThatAreAhead(_ consumed: UInt64) throws {
    let ring = try TestRing(oneLane)
    let first = try ring.publisher()
    let subscriber = try ring.patientSubscriber()
    let segment = try RawSegment(ring)
    #expect(try first.publish([1]))
    segment[segment.reserve(0)] += 5
    first.die()
    segment[segment.rowConsumed(0, lane: 0)] = consumed
    let second = try ring.publisher()
    #expect(try second.publish([2]))
    #expect(subscriber.readAll().bytes == [[1], [2]])
  }

  /// What was reserved in vain must not eat the lane: there is always room in the end.
  @Test(arguments: [false, true])
  func voidDoesNotAddUp(_ publishesEachTime: Bool) throws {
    let ring = try TestRing(oneLane)
    let first = try ring.publisher()
    let subscriber = try ring.patientSubscriber()
    let segment = try RawSegment(ring)
    try first.publish([1])
    first.die()
    if publishesEachTime { _ = subscriber.readAll() }
    for round in 0..<1000 {
      segment[segment.reserve(0)] = segment[segment.published(0)] + UInt64(1 + round % 100)
      let owner = try ring.publisher()
      if publishesEachTime {
        #expect(try owner.publish(content(0, round, size: 4080)), "round \(round)")
        #expect(subscriber.readAll().bytes == [content(0, round, size: 4080)])
      }
      owner.die()
    }
    let last = try ring.publisher()
    #expect(try last.publish(content(0, 1, size: 4080)))
    #expect(subscriber.readAll().bytes.last == content(0, 1, size: 4080))
  }

  @Test func lanesRunOutAndComeBack() throws {
    let ring = try TestRing()
    var publishers = try (0..<4).map { _ in try ring.publisher() }
    #expect(Set(publishers.map(\.lane)) == [0, 1, 2, 3])
    #expect(throws: RingError.exhausted) { try ring.publisher() }
    for lane in [2, 0, 3] {
      let before = publishers[lane]
      before.die()
      publishers[lane] = try ring.publisher()
      #expect(publishers[lane].lane == lane)
      #expect(publishers[lane].incarnation > before.incarnation)
      #expect(throws: RingError.exhausted) { try ring.publisher() }
    }
  }

  /// A dead publisher's list stays readable as long as there are lanes that nobody has used.
  @Test func freshLanesFirst() throws {
    let ring = try TestRing()
    for lane in 0..<4 {
      let publisher = try ring.publisher()
      #expect(publisher.lane == lane)
      publisher.die()
    }
  }

  @Test func rowsRunOutAndComeBack() throws {
    let ring = try TestRing()
    var readers = try (0..<4).map { try ring.subscriber(RingSubscriber.Policy.withRows[$0 % 2]) }
    #expect(throws: RingError.exhausted) { try ring.subscriber() }
    #expect(throws: RingError.exhausted) { try ring.patientSubscriber() }
    readers.removeFirst()
    readers.append(try ring.patientSubscriber())
    #expect(throws: RingError.exhausted) { try ring.subscriber() }
  }
}
