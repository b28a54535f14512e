import BusTesting
import SharedRing
import Testing

@testable import ConclaveBus

/// What a mirror has said to be in the files when it dies, and not given back yet, is given back by
/// its successor, also where there is nothing to read: nobody could publish anything.
@Suite struct MirrorRoomTests {
  private static let hour: UInt64 = 3_600_000_000_000

  @Test func aSuccessorMakesRoomInAFullRing() throws {
    let fixture = try MirroredFixture()
    let dying = try fixture.probe(.mirror(timeoutNanoseconds: .max, keepNanoseconds: Self.hour))
    let bus = try fixture.bus { $0.isCandidate = false }
    let publisher = try bus.publisher(topic: Topic("t"), sender: "s", type: "x")
    var count = 0
    while try publisher.tryPublish(RawJSON("1")) { count += 1 }
    #expect(count == MirroredFixture.smallRing.geometry.slotCount)
    while dying.receive(limit: count, onLoss: { _ in }, onMessage: { _, _ in }) > 0 {}
    #expect(dying.position == UInt64(count))
    // It dies behind the board's `mirrored`, and before the ring's records.
    dying.mirrorBoard.noteMirrored(dying.position, messages: UInt64(count), bytes: 0)
    dying.abandon(keepNanoseconds: Self.hour)
    #expect(try !publisher.tryPublish(RawJSON("2")))
    let heir = try fixture.bus()
    #expect(heir.isMirror)
    #expect(try publisher.tryPublish(RawJSON("2")))
    bus.close()
    heir.close()
  }
}
