import BusTesting
import CShim
import SharedRing
import Testing

/// What ends the sleep of a mirror between two batches, and what does not.
@Suite struct MirrorDozeTests {
  private static let policy = RingSubscriber.Policy.mirror(
    timeoutNanoseconds: .max, keepNanoseconds: .max)

  /// Dozes in one thread until what `body` does in the other ends it; a doze that nothing ends
  /// hangs.
  private func endsDoze(
    of mirror: RingSubscriber, quorum: UInt64, _ body: @escaping @Sendable () throws -> Void
  ) async throws {
    try await withHangGuard {
      try await onThreads(2) { index in
        if index == 0 {
          mirror.doze(quorum: quorum, untilNanoseconds: .max)
        } else {
          pauseThread(20)
          try body()
        }
      }
    }
  }

  @Test func asManyAsItExpects() async throws {
    let ring = try TestRing()
    let mirror = try ring.subscriber(Self.policy)
    for expected in UInt64(1)...3 {
      let before = mirror.mirrorBoard.asks
      try await endsDoze(of: mirror, quorum: before &+ expected) {
        for _ in 0..<expected { mirror.mirrorBoard.ask() }
      }
      #expect(mirror.mirrorBoard.asks == before &+ expected)
    }
  }

  /// Who has asked before the mirror dozes has been heard.
  @Test func askedBefore() async throws {
    let ring = try TestRing()
    let mirror = try ring.subscriber(Self.policy)
    mirror.mirrorBoard.ask()
    try await withHangGuard {
      try await onThread { mirror.doze(quorum: 1, untilNanoseconds: .max) }
    }
  }

  @Test func fewerDoNot() throws {
    let ring = try TestRing()
    let mirror = try ring.subscriber(Self.policy)
    mirror.mirrorBoard.ask()
    let deadline = conclave_monotonic_ns() + 20_000_000
    mirror.doze(quorum: 2, untilNanoseconds: deadline)
    #expect(conclave_monotonic_ns() >= deadline)
  }

  /// Not what is published, but that there is no room for more: in the lane, or in the order ring.
  @Test(arguments: [4080, 16])
  func wantOfRoom(_ size: Int) async throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let mirror = try ring.subscriber(Self.policy)
    while try publisher.publish(content(0, 0, size: size)) {}
    try await withHangGuard {
      try await onThreads(2) { index in
        if index == 0 {
          mirror.doze(quorum: mirror.mirrorBoard.asks &+ 1, untilNanoseconds: .max)
          #expect(mirror.readAll().losses.isEmpty)
          mirror.mirrorBoard.noteMirrored(mirror.position, messages: 0, bytes: 0)
          mirror.commit()
        } else {
          pauseThread(20)
          try publisher.publish(content(1, 0, size: size), wait: .untilRoom(RingCancellation()))
        }
      }
    }
    #expect(mirror.readAll().bytes == [content(1, 0, size: size)])
  }

  @Test func interrupted() async throws {
    let ring = try TestRing()
    let mirror = try ring.subscriber(Self.policy)
    try await endsDoze(of: mirror, quorum: 1) { mirror.interrupt() }
    mirror.interrupt()
    mirror.doze(quorum: 1, untilNanoseconds: .max)
  }
}
