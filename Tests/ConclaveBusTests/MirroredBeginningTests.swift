import BusTesting
import Glibc
import SharedRing
import Testing

@testable import ConclaveBus

/// Subscriptions of a mirrored bus that begin while others publish as fast as they can.
@Suite struct MirroredBeginningTests {
  /// The ring goes round while a subscription begins: what it has not seen then was published
  /// before, and is no loss.
  @Test func nothingBeforeTheBeginningIsMissed() async throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus {
      $0.shared.geometry = RingGeometry(
        slotCount: 64, laneCount: 16, laneBytes: 65_536, subscriptionCount: 32)
    }
    defer { bus.close() }
    let isOver = RingCancellation()
    let gaps = try await withThrowingTaskGroup(of: Void.self) { group in
      for sender in ["a", "b", "c", "d"] {
        group.addTask { try await onThread { try publish(sender, on: bus, until: isOver) } }
      }
      defer { isOver.raise() }
      // More of them than processors, so that they are interrupted as they begin.
      return try await withThrowingTaskGroup(of: [Gap].self) { readers in
        for _ in 0..<4 {
          readers.addTask {
            try await onThread { try (0..<100).flatMap { _ in try gapsOfOneLife(bus) } }
          }
        }
        return try await readers.reduce(into: []) { $0 += $1 }
      }
    }
    // A publisher that loses the processor before it lists a message lets that one seem new.
    #expect(gaps.filter { $0.count > 1 } == [])
  }

  private func gapsOfOneLife(_ bus: MirroredBus) throws -> [Gap] {
    let subscription = try bus.subscribe("")
    defer { subscription.cancel() }
    var (gaps, messages): ([Gap], Int) = ([], 0)
    while messages < 100, let delivery = try subscription.receive(timeout: .seconds(10)) {
      // It is overrun.
      if messages == 0 { sched_yield() }
      switch delivery {
      case .gap(let gap): gaps.append(gap)
      case .envelope: messages += 1
      }
    }
    return gaps
  }
}

private func publish(
  _ sender: String, on bus: MirroredBus, until isOver: RingCancellation
) throws {
  let publishers = try ["x", "y", "z"].map {
    try bus.publisher(topic: Topic($0), sender: sender, type: "test", durability: .ring)
  }
  let payload = try RawJSON("[]")
  while !isOver.isRaised {
    for publisher in publishers { try publisher.publish(payload) }
  }
}
