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
        for _ in 0..<expected { mirror.mirrorBoard.ask(for: 0) }
      }
      #expect(mirror.mirrorBoard.asks == before &+ expected)
    }
  }

  /// Who has asked before the mirror dozes has been heard.
  @Test func askedBefore() async throws {
    let ring = try TestRing()
    let mirror = try ring.subscriber(Self.policy)
    mirror.mirrorBoard.ask(for: 0)
    try await withHangGuard {
      try await onThread { mirror.doze(quorum: 1, untilNanoseconds: .max) }
    }
  }

  @Test func fewerDoNot() throws {
    let ring = try TestRing()
    let mirror = try ring.subscriber(Self.policy)
    mirror.mirrorBoard.ask(for: 0)
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

  /// Who waits for the disk alone, since its message is in the files already, brings no record.
  @Test func askedWhileItSleeps() async throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let mirror = try ring.subscriber(Self.policy)
    #expect(try publisher.publish([1]))
    #expect(mirror.readAll().messages.count == 1)
    let asks = mirror.mirrorBoard.asks
    mirror.mirrorBoard.noteMirrored(mirror.position, messages: 1, bytes: 1)
    try await withHangGuard {
      try await onThreads(2) { index in
        if index == 0 {
          let before = conclave_monotonic_ns()
          mirror.park(untilNanoseconds: .max, unlessAskedSince: asks)
          // By itself it would wake after 10 s.
          #expect(conclave_monotonic_ns() - before < 9_000_000_000)
        } else {
          pauseThread(100)
          mirror.mirrorBoard.ask(for: 0)
        }
      }
    }
    mirror.park(untilNanoseconds: .max, unlessAskedSince: asks)
  }

  @Test func interrupted() async throws {
    let ring = try TestRing()
    let mirror = try ring.subscriber(Self.policy)
    try await endsDoze(of: mirror, quorum: 1) { mirror.interrupt() }
    mirror.interrupt()
    mirror.doze(quorum: 1, untilNanoseconds: .max)
  }
}
