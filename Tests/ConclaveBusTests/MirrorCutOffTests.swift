import BusTesting
import Glibc
import Testing

@testable import ConclaveBus

/// The segment's file is cut off while a mirror copies out of it.
@Suite(.inTurns) struct MirrorCutOffTests {
  /// So long that the mirror spends most of its time copying it.
  private static let payload = "\"" + String(repeating: "x", count: 60_000) + "\""

  /// What is read where the segment was are zeros: no line is made of them.
  @Test func filesHaveOnlyWhatWasPublished() async throws {
    for round in 0..<60 {
      let fixture = try MirroredFixture()
      let bus = try fixture.bus()
      try await onThreads(2) { thread in
        if thread == 0 {
          usleep(useconds_t(500 + round * 37 % 2000))
          _ = unsafe truncate(SharedMemoryBus.segmentPath(of: fixture.directory), 0)
        } else {
          let message = try Message(type: "t", sender: "s", payload: RawJSON(Self.payload))
          while (try? bus.publish(message, to: Topic("t"))) != nil {}
        }
      }
      bus.close()
      let lines = Disk.read(fixture.file("t")).split(separator: UInt8(ascii: "\n"))
      try #require(lines.allSatisfy { $0.count > 60_000 && !$0.contains(0) })
    }
  }
}
