import AllocationCounter
import BusTesting
import ConclaveBus
import SharedRing
import Testing

/// The hot path on shared memory allocates nothing.
@Suite(.enabled(if: allocation_counter_works() != 0, "a sanitizer has the allocator"))
struct AllocationTests {
  private func count(_ body: () throws -> Void) rethrows -> UInt64 {
    allocation_counter_begin()
    defer { _ = allocation_counter_end() }
    try body()
    return allocation_counter_end()
  }

  /// What counts does count.
  @Test func theCounterCounts() {
    var kept: [[Int]] = []
    kept.reserveCapacity(100)
    let counted = count { for number in 0..<100 { kept.append([number, number]) } }
    #expect(counted >= 100)
    #expect(count {} == 0)
  }

  @Test func theHotPath() throws {
    let fixture = try SharedMemoryFixture()
    let bus = try fixture.makeBus()
    let subscription = try bus.subscribe(to: .all, options: SubscriptionOptions())
    let publisher = try bus.publisher(topic: Topic("a.b"), sender: "sender", type: "x")
    let payload = try Payloads.sized(256)
    let bytes = Array(payload.bytes)
    var received = 0
    let rounds = { (times: Int) in
      for _ in 0..<times {
        try publisher.publish(payload)
        unsafe try publisher.publish(json: bytes.span.bytes)
        received += try subscription.drain { _, _ in }
      }
    }
    try rounds(1000)
    let counted = try count { try rounds(10_000) }
    #expect(counted == 0)
    #expect(received == 22_000)
    bus.close()
  }
}
