import BusTesting
import SharedRing
import Testing

@testable import ConclaveBus

/// Where a subscription with back pressure goes over from the files to its row, which is the first
/// place that publishers wait for.
@Suite struct MirroredHandoverTests {
  private func payload(_ number: Int) throws -> RawJSON { try RawJSON("{\"n\":\(number)}") }

  private func publish(_ numbers: ClosedRange<Int>, by publisher: Publisher) throws {
    for number in numbers { try publisher.publish(payload(number)) }
  }

  /// The files end, the row begins later, and the ring goes on without the subscription in between:
  /// it reads that stretch in the files, and not what lies behind it, which the row has.
  @Test func anOverrunBeforeTheRowRepeatsNothing() async throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let publisher = try bus.publisher(topic: Topic("t"), sender: "s", type: "x")
    try publish(1...100, by: publisher)
    #expect(fixture.settle())
    let late = try bus.subscribe(
      "t", options: SubscriptionOptions(policy: .backPressure(timeout: nil), start: .beginning))
    try publish(101...200, by: publisher)
    #expect(fixture.settle())
    var heard = Heard()
    // All that it has found in the files; now the row is there, at 200, and nothing read of 100 on.
    #expect(try heard.drain(late, limit: 100) == 100)
    var count = 200
    // Until the row holds the publisher up: by then the ring has gone round over 100 to 199.
    while try publisher.tryPublish(payload(count + 1)) { count += 1 }
    #expect(count > 1124 && fixture.settle())
    let (sent, last) = (count, count + 500)
    let result = Lock(Heard())
    try await withHangGuard {
      try await onThreads(2) { index in
        if index == 0 {
          try publish(sent + 1...last, by: publisher)
        } else {
          var rest = Heard()
          while rest.seqs.count + rest.gaps.count < last - 100 {
            guard try rest.drain(late, limit: 64) == 0 else { continue }
            late.wait(timeout: .seconds(10))
          }
          result.withLock { $0 = rest }
        }
      }
    }
    let rest = result.withLock { $0 }
    #expect(rest.seqs == Array(101...UInt64(last)) && rest.gaps.isEmpty)
    #expect(try late.poll() == nil)
    #expect(late.losses == SubscriptionLosses())
  }

  /// The row begins in the middle of a message that does not fit into its publisher's lane, and so
  /// cannot be on the ring as a whole.
  @Test(arguments: [SubscriptionOptions.Policy.dropping, .backPressure(timeout: nil)])
  func aMessageThatWasUnderWayIsThere(_ policy: SubscriptionOptions.Policy) async throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let publisher = try bus.publisher(topic: Topic("t"), sender: "s", type: "x")
    try publish(1...3, by: publisher)
    let holder = try bus.subscribe(
      "t", options: SubscriptionOptions(policy: .backPressure(timeout: nil)))
    let large = RawJSON.text(String(repeating: "large ", count: 100_000))
    let result = Lock(Heard())
    try await withHangGuard {
      try await onThreads(2) { index in
        if index == 0 {
          try publisher.publish(large)
          try publisher.publish(payload(5))
          return
        }
        _ = try waitUntil("a part of the large message is on the ring") {
          try SharedMemoryBus.status(of: fixture.directory).flatMap { $0.position > 3 ? true : nil }
        }
        let late = try bus.subscribe(
          "t", options: SubscriptionOptions(policy: policy, start: .beginning))
        var heard = Heard()
        while heard.seqs.count < 3, try heard.drain(late, limit: 3) > 0 {}
        // It comes to the end of the files and goes on in the ring.
        _ = try heard.drain(late, limit: 3)
        holder.cancel()
        while heard.seqs.count + heard.gaps.count < 5 {
          guard try heard.drain(late, limit: 3) == 0 else { continue }
          late.wait(timeout: .seconds(10))
        }
        result.withLock { [heard] in $0 = heard }
      }
    }
    let heard = result.withLock { $0 }
    #expect(heard.seqs == [1, 2, 3, 4, 5] && heard.gaps.isEmpty)
  }
}

/// What was handed out.
private struct Heard {
  var seqs: [UInt64] = []
  var gaps: [Gap] = []

  mutating func drain(_ subscription: Subscription, limit: Int) throws -> Int {
    var (seqs, gaps) = ([UInt64](), [Gap]())
    let count = try subscription.drain(limit: limit) {
      gaps.append($0)
    } onMessage: { envelope, _ in
      seqs.append(envelope.seq)
    }
    self.seqs += seqs
    self.gaps += gaps
    return count
  }
}
