import BusTesting
import Glibc
import SharedRing
import Testing

/// Somebody cuts the segment's file off under those who have it mapped: nobody dies of it,
/// everybody is told, and who comes later begins anew. At each instruction it is
/// `conclave-step truncate` that tries.
@Suite struct TruncationTests {
  private func cut(_ ring: TestRing, to bytes: Int) throws {
    guard unsafe truncate(ring.location.path, bytes) == 0 else {
      throw RingError.system(errno: errno)
    }
  }

  /// Nothing, the header, and up to the order's slots.
  @Test(arguments: [0, 4096, 8192], RingSubscriber.Policy.all)
  func whoIsThereIsTold(_ bytes: Int, _ policy: RingSubscriber.Policy) throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let subscriber = try ring.subscriber(policy)
    for number in 0..<100 {
      try publisher.publish(content(0, number, size: 300))
      #expect(subscriber.readAll().messages.count == 1)
    }
    #expect(!subscriber.isLost && !subscriber.isBlocked)
    try publisher.publish(content(0, 100, size: 300))
    try cut(ring, to: bytes)
    #expect(throws: RingError.corrupt) { try publisher.publish(content(0, 101, size: 300)) }
    #expect(subscriber.readAll().messages.isEmpty)
    #expect(subscriber.isLost && subscriber.isBlocked)
    // Nobody waits in a segment that is gone.
    subscriber.park(untilNanoseconds: .max)
    #expect(throws: RingError.corrupt) { try publisher.publish([1]) }

    publisher.die()
    subscriber.leave()
    let later = try ring.subscriber(policy)
    try ring.publisher().publish([7])
    #expect(later.readAll().bytes == [[7]])
    #expect(!later.isLost)
  }

  /// Who sleeps looks by the clock.
  @Test func whoSleepsIsTold() async throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let subscriber = try ring.subscriber()
    try publisher.publish([1])
    #expect(subscriber.readAll().messages.count == 1)
    try await withHangGuard {
      try await onThreads(2) { index in
        if index == 0 { return try self.cut(ring, to: 4096) }
        while !subscriber.isLost {
          subscriber.park(untilNanoseconds: .max)
          #expect(subscriber.readAll().messages.isEmpty)
        }
      }
    }
    publisher.die()
  }
}
