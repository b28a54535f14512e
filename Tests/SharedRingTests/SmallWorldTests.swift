import BusTesting
import SharedRing
import Testing

/// Every order of a few steps of a few participants, compared with a list.
@Suite struct SmallWorldTests {
  /// What each subscriber has still to read, and how much room that leaves.
  private struct World {
    let ring: TestRing
    let publishers: [TestPublisher]
    let subscribers: [RingSubscriber]
    var published: [[UInt8]] = []
    var read: [Int]

    init(_ policy: RingSubscriber.Policy) throws {
      let ring = try TestRing()
      self.ring = ring
      publishers = try (0..<2).map { _ in try ring.publisher() }
      subscribers = try (0..<2).map { _ in try ring.subscriber(policy) }
      read = [0, 0]
    }

    mutating func publish(_ sender: Int, size: Int) throws {
      let bytes = content(sender, published.count, size: size)
      if try publishers[sender].publish(bytes) { published.append(bytes) }
    }

    mutating func readOne(_ reader: Int) throws {
      let received = subscribers[reader].readAll(limit: 1)
      #expect(received.losses.isEmpty)
      if read[reader] < published.count {
        try #require(received.bytes == [published[read[reader]]])
        read[reader] += 1
      } else {
        #expect(received.messages.isEmpty)
      }
    }
  }

  /// With back pressure whatever was accepted is read, in the order in which it was accepted.
  @Test func backPressureIsAList() throws {
    var choices = Exhaustive()
    while choices.next() {
      var world = try World(.backPressure(timeoutNanoseconds: .max))
      // Nearly full, so that the few steps that follow meet the limit.
      for _ in 0..<3 { try world.publish(0, size: 4080) }
      for _ in 0..<4 {
        switch choices.choose(5) {
        case 0: try world.publish(0, size: 4080)
        case 1: try world.publish(0, size: 40)
        case 2: try world.publish(1, size: 4080)
        case 3: try world.readOne(0)
        default: try world.readOne(1)
        }
      }
      for reader in 0..<2 {
        while world.read[reader] < world.published.count { try world.readOne(reader) }
      }
      // All is read: there is room again in both lanes.
      let accepted = world.published.count
      for reader in 0..<2 { try world.readOne(reader) }
      try world.publish(0, size: 4080)
      try world.publish(1, size: 4080)
      #expect(world.published.count == accepted + 2)
    }
    #expect(choices.count == 625)
  }

  /// Dropping: what comes is what was sent, in order; what does not come is counted.
  @Test func droppingIsAListWithHoles() throws {
    var choices = Exhaustive()
    while choices.next() {
      var world = try World(.dropping)
      var seen: UInt64 = 0
      for _ in 0..<3 {
        switch choices.choose(4) {
        case 0: for _ in 0..<63 { try world.publish(0, size: 40) }
        case 1: for _ in 0..<5 { try world.publish(1, size: 4080) }
        case 2: for _ in 0..<2 { try world.publish(0, size: 2000) }
        default: try check(world, &seen)
        }
      }
      try check(world, &seen)
      #expect(seen == UInt64(world.published.count))
    }
    #expect(choices.count == 64)
  }

  private func check(_ world: World, _ seen: inout UInt64) throws {
    let received = world.subscribers[0].readAll()
    #expect(received.damaged == 0)
    for message in received.messages {
      try #require(message.bytes == world.published[Int(message.place.position)])
    }
    seen += UInt64(received.messages.count) + received.lostPositions
  }
}
