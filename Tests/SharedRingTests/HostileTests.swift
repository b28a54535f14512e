import BusTesting
import Glibc
import SharedRing
import Testing

/// Somebody writes into the segment what no participant would: every call returns, nothing crashes,
/// and what is intact still arrives where it can.
@Suite struct HostileTests {
  /// A ring that has gone round, and who is in it.
  private struct World {
    let ring: TestRing
    let segment: RawSegment
    let publishers: [TestPublisher]
    let dropping: RingSubscriber
    let waiting: RingSubscriber?
    var number = 0

    init(waiting: Bool) throws {
      let ring = try TestRing()
      self.ring = ring
      publishers = try (0..<2).map { _ in try ring.publisher() }
      dropping = try ring.subscriber()
      self.waiting =
        waiting ? try ring.subscriber(.backPressure(timeoutNanoseconds: 1)) : nil
      segment = try RawSegment(ring)
      for _ in 0..<100 { _ = try step(0) }
    }

    /// Publishes one and reads all: whether it was published, and what was read.
    mutating func step(_ sender: Int, size: Int = 20) throws -> (Bool, Received) {
      number += 1
      var sent = false
      do throws(RingError) {
        sent = try publishers[sender].publish(content(0, number, size: size))
      } catch {
        guard error == .corrupt else { throw error }
      }
      _ = waiting?.readAll(limit: 300)
      return (sent, dropping.readAll(limit: 300))
    }
  }

  /// Values that are wrong in every way, around the right one.
  private static func nonsense(_ right: UInt64, _ random: inout SplitMix64) -> UInt64 {
    switch random.below(8) {
    case 0: 0
    case 1: .max
    case 2: 1 << UInt64(random.below(64))
    case 3: right &+ UInt64(random.below(200)) &- 100
    case 4: right ^ 1 << UInt64(random.below(64))
    case 5: right ^ UInt64(random.below(0x1000)) << UInt64(random.below(60))
    case 6: random.next() >> UInt64(random.below(64))
    default: random.next()
    }
  }

  /// A hundred thousand wild stores anywhere in the parts that participants read.
  @Test(arguments: [false, true])
  func wildStores(_ waiting: Bool) throws {
    var random = SplitMix64(seed: waiting ? 3 : 4)
    for _ in 0..<100 {
      var world = try World(waiting: waiting)
      let segment = world.segment
      let parts: [Range<Int>] = [
        segment.board..<segment.tail, segment.tail..<segment.tail + 8,
        segment.slots..<segment.slots + 512, segment.rows..<segment.rows + 4096,
        segment.laneHeaders..<segment.laneHeaders + 256,
        segment.laneHeaders + 8192..<segment.laneHeaders + 8192 + 256,
        segment.lanes..<segment.lanes + 32_768, segment.lanes..<segment.lanes + 1024,
      ]
      for _ in 0..<500 {
        let part = random.pick(parts)
        let offset = part.lowerBound + random.below(part.count / 8) * 8
        segment[offset] = Self.nonsense(segment[offset], &random)
        if random.below(4) == 0 {
          _ = try world.step(random.below(2), size: 1 + random.below(6000))
        }
        if random.below(100) == 0 { _ = world.dropping.streams() }
        if random.below(200) == 0 { world.dropping.rewind() }
        if random.below(100) == 0 { world.dropping.park(untilNanoseconds: 0) }
        if random.below(200) == 0 {
          _ = try? world.ring.publisher().die()
          _ = try? world.ring.subscriber().readAll(limit: 100)
          _ = try? RingSnapshot(of: world.ring.location)
        }
      }
    }
  }

  /// The hint is only a hint: whatever it says, the next message is the next, and no hole is left;
  /// also where publishers wait for somebody, whose place then counts from elsewhere than theirs.
  @Test(arguments: [false, true])
  func tailNonsense(_ waiting: Bool) throws {
    let near = (0...66).flatMap { [100 + UInt64($0), 100 - UInt64($0)] }
    for tail in near + [0, 1, 1 << 20, 1 << 33, 1 << 34, 1 << 62, 1 << 63, .max - 1, .max] {
      let world = try World(waiting: waiting)
      for round in 0..<3 {
        world.segment[world.segment.tail] = tail
        let fresh = round == 1 ? try world.ring.publisher() : world.publishers[1]
        let bytes = content(5, round, size: 30)
        #expect(try fresh.publish(bytes), "tail \(tail)")
        let received = world.dropping.readAll()
        #expect(received.bytes == [bytes] && received.losses.isEmpty, "tail \(tail)")
        let later = try world.ring.subscriber()
        #expect(try world.publishers[0].publish(bytes))
        #expect(later.readAll().bytes == [bytes], "tail \(tail)")
        _ = world.dropping.readAll()
        if let patient = world.waiting {
          #expect(patient.readAll().bytes == [bytes, bytes], "tail \(tail)")
          #expect(patient.frontier == patient.position, "tail \(tail)")
        }
      }
    }
  }

  /// One slot is damaged while its record waits to be read: that one is lost, the others are not.
  @Test func damagedSlots() throws {
    let wrongLane: UInt64 = 0xFF << 28
    let wrongLap: UInt64 = 1 << 36
    for change in [wrongLane, 1, 0xFFF_FFFF, wrongLap, 1 << 50, 0xFFFF_FFFF_FFFF_FFFF] {
      for policy in RingSubscriber.Policy.all {
        let ring = try TestRing()
        let publisher = try ring.publisher()
        let subscriber = try ring.subscriber(policy)
        let segment = try RawSegment(ring)
        for number in 0..<10 { try publisher.publish([UInt8(number)]) }
        segment[segment.slot(4)] ^= change
        var received = subscriber.readAll(limit: 100)
        #expect(Array(received.bytes.prefix(4)) == (0..<4).map { [UInt8($0)] })
        // The rest where the slot still says that something is there.
        for number in 10..<200 {
          if (try? publisher.publish([UInt8(number)])) != true { break }
          let more = subscriber.readAll(limit: 100)
          received.messages += more.messages
          received.losses += more.losses
        }
        let numbers = received.bytes.map { Int($0[0]) }
        // A slot that points to another intact record of its lane is believed: what comes twice has
        // a number that the layer above has seen.
        #expect(numbers == numbers.sorted() && Set(numbers).count >= numbers.count - 1)
      }
    }
  }

  /// A damaged record is one loss, and the lane goes on: also when publishers wait for who skipped
  /// it.
  @Test(arguments: [0, 15, 4097, .max] as [UInt32], RingSubscriber.Policy.all)
  func damagedRecords(_ bytes: UInt32, _ policy: RingSubscriber.Policy) throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let subscriber = try ring.subscriber(policy)
    let segment = try RawSegment(ring)
    for round in 0..<20 {
      let start = (segment[segment.published(0)] + 63) / 64 * 64
      for number in 0..<3 {
        #expect(try publisher.publish(content(round, number, size: 4080)), "round \(round)")
      }
      for number in 0..<3 {
        let at = segment.laneByte(0, start + UInt64(number) * 64)
        segment[at] = segment[at] & ~0xFFFF_FFFF | UInt64(bytes)
      }
      let received = subscriber.readAll(limit: 100)
      #expect(received.damaged == 3 && received.messages.isEmpty)
    }
    #expect(try publisher.publish([1]))
    #expect(subscriber.readAll(limit: 100).bytes == [[1]])
  }

  /// A list of streams that says that it is longer than it can be, or ends in the middle of a word,
  /// gets no longer; nor one that has no room for a key.
  @Test(arguments: [8065, 1 << 20, 0xFFFF_FFFF, 12] as [UInt64])
  func damagedLists(_ bytes: UInt64) throws {
    let ring = try TestRing()
    let publisher = try RingPublisher(ring.location, creating: ring.geometry, incarnation: 1)
    var list = publisher.streamList
    let tooLong = list.add(key: [UInt8](repeating: 7, count: 9000))
    let first = list.add(key: [1, 2, 3])
    #expect(!tooLong.isListed && first.isListed)
    let segment = try RawSegment(ring)
    segment[segment.listBytes(publisher.lane)] = bytes << 32
    let second = list.add(key: [4, 5, 6])
    #expect(!second.isListed)
  }

  @Test func wrongStamp() throws {
    var world = try World(waiting: true)
    let at = world.segment.laneByte(0, world.segment[world.segment.published(0)])
    #expect(try world.publishers[0].publish([1]))
    world.segment[at] ^= 1 << 40
    #expect(world.dropping.readAll().damaged == 1)
    #expect(try world.step(0).1.messages.count == 1)
  }

  /// Rows that claim what cannot be: publishers give up or go on, they do not wait for ever.
  @Test(arguments: [1, 64, 1 << 62, .max - 3, .max] as [UInt64])
  func rowNonsense(_ value: UInt64) async throws {
    let world = try World(waiting: false)
    let subscriber = try world.ring.subscriber(.backPressure(timeoutNanoseconds: 1000))
    let segment = world.segment
    let publisher = world.publishers[0]
    let row = try #require((0..<4).first { segment[segment.rowState($0)] & 1 == 1 })
    try await withHangGuard {
      try await onThread {
        for round in 0..<300 {
          segment[segment.rowCursor(row)] = value
          for lane in 0..<4 { segment[segment.rowState(row) + 128 + lane * 8] = value }
          do throws(RingError) {
            try publisher.publish(
              content(0, round, size: 500), wait: .untilRoom(RingCancellation()))
          } catch {
            if error != .corrupt, error != .timedOut(label: "test", process: UInt32(getpid())) {
              throw error
            }
          }
          _ = subscriber.readAll(limit: 100)
        }
      }
    }
  }

  /// A reader that has nothing to read sleeps, whatever the slot says.
  @Test(arguments: [0, 1 << 36, 50 << 36, 0xFFF_FFFF << 36] as [UInt64])
  func damagedSlotsDoNotKeepAwake(_ slot: UInt64) throws {
    let world = try World(waiting: false)
    world.segment[world.segment.slot(world.dropping.position)] = slot
    var losses = 0
    for _ in 0..<200 {
      let received = world.dropping.readAll(limit: 10)
      #expect(received.messages.isEmpty)
      losses += received.losses.count
    }
    #expect(losses <= 64)
  }
}
