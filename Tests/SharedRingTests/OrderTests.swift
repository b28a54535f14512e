import BusTesting
import SharedRing
import Synchronization
import Testing

@Suite struct OrderTests {
  /// Sizes at which a record begins to need one more granule, or just does not, up to the limit.
  static let sizes: [Int] = {
    let limit = 4096 - 16
    var sizes: Set<Int> = [1, 2, 7, 8, 9, limit - 1, limit]
    for granules in [1, 2, 3, 31, 32, 33, 63, 64] {
      for near in -9...9 { sizes.insert(granules * 64 - 16 + near) }
    }
    return sizes.filter { (1...limit).contains($0) }.sorted()
  }()

  /// Every size at every place in the lane that the sizes before it lead to, many times round.
  @Test(arguments: RingSubscriber.Policy.all)
  func everySizeArrivesAsItWas(_ policy: RingSubscriber.Policy) throws {
    let ring = try TestRing()
    let publishers = try (0..<3).map { _ in try ring.publisher() }
    let subscribers = try (0..<3).map { _ in try ring.subscriber(policy) }
    var random = SplitMix64(seed: 1)
    for number in 0..<6000 {
      let sender = random.below(3)
      let size = number < 3000 ? Self.sizes[number % Self.sizes.count] : random.pick(Self.sizes)
      let bytes = content(sender, number, size: size)
      #expect(try publishers[sender].publish(bytes))
      for subscriber in subscribers {
        let received = subscriber.readAll()
        #expect(received.losses.isEmpty)
        try #require(received.bytes == [bytes])
        #expect(received.messages[0].place.position == UInt64(number))
        #expect(received.messages[0].place.lane == publishers[sender].lane)
      }
    }
  }

  /// What does not fit before the lane's end begins at its beginning, from every offset.
  @Test func recordsNeverWrapAroundTheLane() throws {
    let limit = 4096 - 16
    for offset in 0..<64 {
      let ring = try TestRing()
      let publisher = try ring.publisher()
      let subscriber = try ring.patientSubscriber()
      var sent: [[UInt8]] = (0..<offset).map { content(0, $0, size: 48) }
      for number in 0..<12 { sent.append(content(1, number, size: number % 2 == 0 ? limit : 1)) }
      for bytes in sent {
        #expect(try publisher.publish(bytes))
        let received = subscriber.readAll()
        #expect(received == Received(messages: received.messages))
        try #require(received.bytes == [bytes])
      }
    }
  }

  /// Publishers and subscribers on threads of their own: one order, nothing torn, nothing missing.
  @Test func threadsSeeOneOrder() async throws {
    let ring = try TestRing()
    let count = 4000
    let results = Lock<[Received]>([])
    let subscribers = try (0..<2).map { _ in try ring.patientSubscriber() }
    try await withHangGuard {
      try await onThreads(5) { index in
        if index < 3 {
          let publisher = try ring.publisher()
          var random = SplitMix64(seed: UInt64(index))
          let cancellation = RingCancellation()
          for number in 0..<count {
            try publisher.publish(
              numbered(index, number, size: 16 + random.below(600)),
              wait: .untilRoom(cancellation))
          }
        } else {
          let all = collect(count * 3, from: subscribers[index - 3])
          results.withLock { $0.append(all) }
        }
      }
    }
    let all = results.withLock { $0 }
    #expect(all[0] == all[1])
    #expect(all[0].losses.isEmpty)
    var next = [0, 0, 0]
    for bytes in all[0].bytes {
      let (sender, number) = try #require(identify(bytes))
      try #require(next[sender] == number)
      next[sender] += 1
    }
    #expect(next == [count, count, count])
  }
}

/// Reads until `count` messages have come, sleeping in between.
func collect(_ count: Int, from subscriber: RingSubscriber) -> Received {
  var all = Received()
  while all.messages.count < count {
    let more = subscriber.readAll(limit: 100)
    all.messages += more.messages
    all.losses += more.losses
    if more.messages.isEmpty { subscriber.park(untilNanoseconds: .max) }
  }
  return all
}
