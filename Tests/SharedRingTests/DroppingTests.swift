import BusTesting
import SharedRing
import Synchronization
import Testing

@Suite struct DroppingTests {
  /// However far it falls behind and however little it reads at a time: what came and what was
  /// reported lost are together what was published.
  @Test func positionsAddUp() throws {
    var random = SplitMix64(seed: 2)
    for _ in 0..<60 {
      let ring = try TestRing()
      let publishers = try (0..<2).map { _ in try ring.publisher() }
      let subscriber = try ring.subscriber()
      var published: [[UInt8]] = []
      var accounted: UInt64 = 0
      var all = Received()
      for _ in 0..<40 {
        for _ in 0..<random.below(90) {
          let sender = random.below(2)
          let bytes = content(sender, published.count, size: 1 + random.below(1500))
          try publishers[sender].publish(bytes)
          published.append(bytes)
        }
        let some = subscriber.readAll(limit: 1 + random.below(60))
        accounted += UInt64(some.messages.count) + some.lostPositions
        #expect(subscriber.position == accounted)
        all.messages += some.messages
        all.losses += some.losses
      }
      let rest = subscriber.readAll()
      accounted += UInt64(rest.messages.count) + rest.lostPositions
      all.messages += rest.messages
      #expect(accounted == UInt64(published.count))
      #expect(all.damaged == 0)
      for message in all.messages {
        try #require(message.bytes == published[Int(message.place.position)])
      }
    }
  }

  /// The ring has room for the records, their lane has not.
  @Test func overwrittenLanesAreCounted() throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let subscriber = try ring.subscriber()
    for number in 0..<10 { try publisher.publish(content(0, number, size: 4080)) }
    let received = subscriber.readAll()
    #expect(received.losses == (0..<6).map { .overwritten(position: $0) })
    #expect(received.bytes == (6..<10).map { content(0, $0, size: 4080) })
  }

  /// While publishers overwrite what it copies: nothing torn, nothing twice, nothing unaccounted.
  @Test func nothingIsTorn() async throws {
    let ring = try TestRing()
    let done = Atomic<Int>(0)
    let readers = try (0..<2).map { _ in try ring.subscriber() }
    let count = 30_000
    try await withHangGuard {
      try await onThreads(4) { index in
        if index < 2 {
          let publisher = try ring.publisher()
          var random = SplitMix64(seed: UInt64(index))
          for number in 0..<count {
            try publisher.publish(numbered(index, number, size: 16 + random.below(900)))
          }
          done.wrappingAdd(1, ordering: .sequentiallyConsistent)
        } else {
          try check(readers[index - 2], until: count * 2) {
            done.load(ordering: .sequentiallyConsistent) == 2
          }
        }
      }
    }
  }

  private func check(
    _ subscriber: RingSubscriber, until count: Int, _ isOver: () -> Bool
  ) throws {
    var next = [0, 0]
    var accounted: UInt64 = 0
    while accounted < UInt64(count) {
      let wasOver = isOver()
      let received = subscriber.readAll(limit: 500)
      for message in received.messages {
        let (sender, number) = try #require(identify(message.bytes))
        try #require(number >= next[sender])
        next[sender] = number + 1
      }
      #expect(received.damaged == 0)
      accounted += UInt64(received.messages.count) + received.lostPositions
      try #require(!wasOver || !received.messages.isEmpty || accounted == UInt64(count))
    }
  }

  @Test func rewindFindsWhatIsStillThere() throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    for number in 0..<100 { try publisher.publish(content(0, number, size: 20)) }
    let subscriber = try ring.subscriber()
    #expect(subscriber.readAll() == Received())
    subscriber.rewind()
    #expect(subscriber.readAll().bytes == (36..<100).map { content(0, $0, size: 20) })
  }
}
