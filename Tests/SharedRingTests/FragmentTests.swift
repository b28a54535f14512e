import BusTesting
import CShim
import SharedRing
import Testing

/// Messages that travel in several records.
@Suite struct FragmentTests {
  @Test(arguments: RingSubscriber.Policy.all)
  func aroundTheRecordLimit(_ policy: RingSubscriber.Policy) throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let subscriber = try ring.subscriber(policy)
    for size in Array(4070...4110) + Array(8130...8170) + [9000, 12_000] {
      let bytes = content(0, size, size: size)
      #expect(try publisher.publish(bytes))
      let received = subscriber.readAll()
      #expect(received.losses.isEmpty)
      try #require(received.bytes == [bytes], "size \(size)")
    }
  }

  /// A lane of 16 KiB carries a megabyte to a reader for which publishers wait.
  @Test func largerThanTheLane() async throws {
    let ring = try TestRing()
    let subscriber = try ring.patientSubscriber()
    let publishers = try (0..<2).map { _ in try ring.publisher() }
    let sizes = [100, 5000, 16_384, 100_000, 1_048_576, 3]
    try await withHangGuard {
      try await onThreads(3) { index in
        if index < 2 {
          for (number, size) in sizes.enumerated() {
            try publishers[index].publish(
              content(index, number, size: size), wait: .untilRoom(RingCancellation()))
          }
        } else {
          let received = collect(sizes.count * 2, from: subscriber)
          #expect(received.losses.isEmpty)
          for sender in 0..<2 {
            let own = received.messages.filter { $0.place.lane == publishers[sender].lane }
            #expect(
              own.map(\.bytes)
                == sizes.enumerated().map { number, size in
                  content(sender, number, size: size)
                })
          }
        }
      }
    }
  }

  /// The sender gives up in the middle: the next message arrives, and one loss is told.
  @Test func cutOffByATimeOut() throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let subscriber = try ring.subscriber(.backPressure(timeoutNanoseconds: 1_000_000))
    let large = content(0, 0, size: 50_000)
    #expect(throws: RingError.self) {
      try publisher.publish(large, wait: .untilRoom(RingCancellation()))
    }
    #expect(subscriber.readAll() == Received())
    #expect(try publisher.publish([7]))
    let received = subscriber.readAll()
    #expect(received.bytes == [[7]])
    #expect(
      received.losses == [.abandoned(lane: publisher.lane, beginning: Array(large.prefix(64)))])
    #expect(subscriber.readAll() == Received())
  }

  /// The sender dies in the middle, and the lane's next owner begins with a large message too.
  @Test(arguments: [5, 9000])
  func cutOffByDeath(_ size: Int) throws {
    let ring = try TestRing(RingGeometry(slotCount: 64, laneCount: 1, laneBytes: 16_384))
    let subscriber = try ring.subscriber(.backPressure(timeoutNanoseconds: 1_000_000))
    let first = try ring.publisher()
    #expect(throws: RingError.self) {
      try first.publish(content(0, 0, size: 50_000), wait: .untilRoom(RingCancellation()))
    }
    first.die()
    _ = subscriber.readAll()
    let second = try ring.publisher()
    #expect(second.lane == first.lane && second.incarnation > first.incarnation)
    #expect(try second.publish(content(1, 1, size: size)))
    let received = subscriber.readAll()
    #expect(received.bytes == [content(1, 1, size: size)])
    #expect(received.abandoned == 1 && received.losses.count == 1)
  }

  /// A dropping reader that lost the end of one message and the beginning of the next, both of the
  /// same size, must not make one of two.
  @Test func twoHalvesMakeNoWhole() throws {
    for burst in 0..<200 {
      let ring = try TestRing()
      let publisher = try ring.publisher()
      let subscriber = try ring.subscriber()
      let whole = (0..<60).map { content(0, $0, size: 11_000) }
      try publisher.publish(whole[0])
      // The first fragment only, then much more than the lane or the ring holds.
      _ = subscriber.readAll(limit: 1 + burst % 2)
      for number in 1..<(3 + burst / 4) {
        try publisher.publish(whole[number])
        if number % 7 == burst % 7 { _ = subscriber.readAll(limit: burst % 5) }
      }
      for bytes in subscriber.readAll().bytes { try #require(whole.contains(bytes)) }
    }
  }

  /// Lengths that no sender would announce.
  @Test(arguments: [0, 1, 8, 4000, 2_097_153, .max, 1 << 63, 1 << 32] as [UInt64])
  func hostileLengths(_ length: UInt64) throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let segment = try RawSegment(ring)
    let subscriber = try ring.subscriber()
    let bytes = content(0, 0, size: 9000)
    #expect(try publisher.publish(bytes))
    segment[segment.laneByte(publisher.lane, 0) + 16] = length
    #expect(try publisher.publish([9]))
    let received = subscriber.readAll()
    #expect(received.bytes == [[9]])
    #expect(received.damaged == 1)
  }

  /// Who must not wait begins only what it can end.
  @Test func allOrNothingWithoutWaiting() throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let wait = RingPublisher.Wait.neverForPart(RingCancellation())
    // Nobody to wait for: any size goes out, and goes over itself.
    #expect(try publisher.publish(content(0, 0, size: 50_000), wait: wait))
    let subscriber = try ring.patientSubscriber()
    #expect(try !publisher.publish(content(0, 1, size: 50_000), wait: wait))
    #expect(try publisher.publish(content(0, 2, size: 6000), wait: wait))
    #expect(try !publisher.publish(content(0, 3, size: 13_000), wait: wait))
    #expect(try publisher.publish([4], wait: wait))
    let received = subscriber.readAll()
    #expect(received.bytes == [content(0, 2, size: 6000), [4]] && received.losses.isEmpty)
    #expect(try publisher.publish(content(0, 5, size: 6000), wait: wait))
  }

  @Test func tooLarge() throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let limit = ring.geometry.messageLimit
    #expect(throws: RingError.tooLarge(limit: limit)) {
      try publisher.publish([UInt8](repeating: 1, count: limit + 1))
    }
    #expect(try publisher.publish([UInt8](repeating: 1, count: limit)))
  }

  /// A head that is no head: refused, not copied over the stack.
  @Test func headsAreBounded() throws {
    let ring = try TestRing()
    var publisher = try RingPublisher(ring.location, creating: ring.geometry, incarnation: 1)
    let head = [UInt64](repeating: 5, count: 100_000)
    for (count, fits) in [(128, true), (129, false), (512, false), (100_000, false)] {
      let body = [UInt8](repeating: 1, count: 5000)
      let result = unsafe head.withUnsafeBytes { bytes in
        Result { () throws(RingError) in
          try unsafe publisher.publish(
            head: UnsafeRawBufferPointer(rebasing: bytes[..<(count * 8)]), body: body.span.bytes,
            as: .unlisted, number: 0, wait: .never, wakes: false)
        }
      }
      #expect((try? result.get()) == (fits ? true : nil))
    }
  }
}
