import BusTesting
import ConclaveBus
import SharedRing

/// A `SharedMemoryBus` with a small ring in a directory of its own.
final class SharedMemoryFixture: BusFixture {
  let transportName = "SharedMemoryBus"
  let sharesAcrossHandles = true
  /// More than the slots.
  let overfill = 1500

  private let directory: BusDirectory
  private let temporary: TemporaryDirectory

  init() throws {
    temporary = try TemporaryDirectory()
    directory = try BusDirectory(opening: temporary.path)
  }

  deinit {
    // A test that failed may have left a participant alive; then the segment stays.
    _ = try? SharedMemoryBus.clean(directory)
  }

  func makeBus() throws -> any MessageBus {
    try SharedMemoryBus(
      directory: directory,
      options: SharedMemoryOptions(
        geometry: RingGeometry(
          slotCount: 1024, laneCount: 16, laneBytes: 262_144, subscriptionCount: 32)))
  }
}
