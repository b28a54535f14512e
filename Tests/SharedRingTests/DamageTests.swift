import BusTesting
import SharedRing
import Synchronization
import Testing

/// What an onlooker finds that no participant wrote, and that it finds nothing else.
@Suite struct DamageTests {
  private func damage(_ ring: TestRing) throws -> RingDamage {
    try #require(try RingSnapshot(of: ring.location)).damage
  }

  private static let none = RingDamage(slots: 0, lanes: [], isBlocked: false)

  /// A ring that has gone round once and a half.
  private func usedRing() throws -> (TestRing, TestPublisher) {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    for number in 0..<100 { try publisher.publish([UInt8(number)]) }
    return (ring, publisher)
  }

  @Test func aSoundRingHasNone() throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    for number in 0..<300 {
      #expect(try damage(ring) == Self.none, "after \(number)")
      try publisher.publish(content(1, number, size: 10 + number % 3000))
    }
    publisher.die()
    #expect(try damage(ring) == Self.none)
  }

  /// Publishers, subscribers and takeovers all the while, in a ring that goes round in no time.
  @Test func aLiveRingHasNone() async throws {
    let ring = try TestRing()
    let subscriber = try ring.subscriber()
    let done = Atomic(false)
    try await withHangGuard {
      try await onThreads(3) { index in
        if index == 2 {
          defer { done.store(true, ordering: .relaxed) }
          for _ in 0..<20_000 {
            let found = try RingSnapshot(of: ring.location)?.damage
            #expect(found == Self.none)
            #expect(!subscriber.isBlocked && subscriber.damage == Self.none)
          }
        }
        while index == 0, !done.load(ordering: .relaxed) { _ = subscriber.readAll(limit: 7) }
        while index == 1, !done.load(ordering: .relaxed) {
          let publisher = try ring.publisher()
          for number in 0..<5000 { try publisher.publish(content(1, number, size: 20)) }
        }
      }
    }
  }

  @Test(arguments: [1 << 36, 7 << 36, 0xFF << 28, .max] as [UInt64], [3, 36, 99] as [UInt64])
  func oneSlot(_ change: UInt64, _ position: UInt64) throws {
    let (ring, publisher) = try usedRing()
    let segment = try RawSegment(ring)
    segment[segment.slot(position)] ^= change
    // A slot of the next lap just in front of the frontier looks like a ring that has gone on.
    let found = try damage(ring)
    #expect(found.slots >= 1 && found.lanes == [])
    publisher.die()
  }

  @Test func lanesAndTheNextSlot() throws {
    let (ring, publisher) = try usedRing()
    let segment = try RawSegment(ring)
    segment[segment.incarnation(2)] = .max
    segment[segment.published(1)] = 5
    #expect(try damage(ring) == RingDamage(slots: 0, lanes: [1, 2], isBlocked: false))
    segment[segment.slot(100)] = 9 << 36
    #expect(try damage(ring) == RingDamage(slots: 1, lanes: [1, 2], isBlocked: true))
    #expect(throws: RingError.corrupt) { try publisher.publish([1]) }
  }

  /// Behind a slot that makes no sense there is more: it is one loss.
  @Test func aReaderPassesOverOneSlot() throws {
    let (ring, publisher) = try usedRing()
    let subscriber = try ring.subscriber()
    for number in 0..<40 { try publisher.publish([UInt8(number)]) }
    let segment = try RawSegment(ring)
    segment[segment.slot(105)] = 0
    let received = subscriber.readAll()
    #expect(received.losses == [.damaged(position: 105)])
    #expect(received.bytes == (0..<40).filter { $0 != 5 }.map { [UInt8($0)] })
    #expect(!subscriber.isBlocked)
  }

  /// A slot that says it is free, though the ring has gone on behind it: one loss, and nobody waits
  /// for what will not come.
  @Test(arguments: RingSubscriber.Policy.all)
  func aReaderPassesOverASlotThatSeemsFree(_ policy: RingSubscriber.Policy) throws {
    let (ring, publisher) = try usedRing()
    let subscriber = try ring.subscriber(policy)
    for number in 0..<40 { try publisher.publish([UInt8(number)]) }
    let segment = try RawSegment(ring)
    segment[segment.slot(105)] -= 1 << 36
    let received = subscriber.readAll()
    #expect(received.losses == [.damaged(position: 105)])
    #expect(received.bytes == (0..<40).filter { $0 != 5 }.map { [UInt8($0)] })
    // Up to where the slot is to be used again.
    for number in 0..<20 {
      #expect(try publisher.publish([UInt8(number)]))
      #expect(subscriber.readAll().bytes == [[UInt8(number)]])
    }
  }

  @Test func aReaderAtTheDamageIsBlocked() throws {
    let (ring, _) = try usedRing()
    let subscriber = try ring.subscriber()
    #expect(!subscriber.isBlocked)
    let segment = try RawSegment(ring)
    for slot in [0, 9 << 36, .max] as [UInt64] {
      segment[segment.slot(100)] = slot
      #expect(subscriber.readAll().messages.isEmpty)
      #expect(subscriber.isBlocked)
    }
  }
}
