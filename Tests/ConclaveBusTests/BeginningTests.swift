import BusTesting
import SharedRing
import Testing

@testable import ConclaveBus

/// Subscriptions of shared memory that begin while others publish as fast as they can.
@Suite struct BeginningTests {
  /// The ring goes round while a subscription begins: what it has not seen then was published
  /// before, and is no loss of its.
  @Test func noLossBeforeTheBeginning() async throws {
    let scratch = Scratch()
    let directory = try scratch.directory()
    defer { _ = try? SharedMemoryBus.clean(directory) }
    let bus = try SharedMemoryBus(
      directory: directory,
      options: SharedMemoryOptions(
        geometry: RingGeometry(
          slotCount: 64, laneCount: 16, laneBytes: 65_536, subscriptionCount: 32)))
    defer { bus.close() }
    let isOver = RingCancellation()
    let early = try await withThrowingTaskGroup(of: Void.self) { group in
      for name in ["a", "b", "c", "d"] {
        group.addTask { try await onThread { try publish(name, on: bus, until: isOver) } }
      }
      defer { isOver.raise() }
      // More of them than processors, so that they are interrupted as they begin.
      return try await withThrowingTaskGroup(of: Int.self) { readers in
        for _ in 0..<4 {
          readers.addTask {
            try await onThread { try (0..<500).reduce(0) { sum, _ in try sum + losses(of: bus) } }
          }
        }
        return try await readers.reduce(0, +)
      }
    }
    #expect(early == 0)
  }

  /// How many losses a subscription counts that has only just begun.
  private func losses(of bus: SharedMemoryBus) throws -> Int {
    let subscription = try bus.subscribe("")
    defer { subscription.cancel() }
    return Int(subscription.losses.episodes)
  }

  private func publish(
    _ name: String, on bus: SharedMemoryBus, until isOver: RingCancellation
  ) throws {
    let publisher = try bus.publisher(topic: Topic(name), sender: "p", type: "test")
    let payload = try RawJSON("[]")
    while !isOver.isRaised { try publisher.publish(payload) }
  }
}
