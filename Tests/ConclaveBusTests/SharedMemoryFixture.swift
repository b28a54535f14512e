import BusTesting
import ConclaveBus
import Glibc
import SharedRing

/// A `SharedMemoryBus` with a small ring in a directory of its own.
final class SharedMemoryFixture: BusFixture {
  let transportName = "SharedMemoryBus"
  let remembersKeys = false
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
    // Not `clean`, which refuses while the test's last bus object is still on its way out.
    unsafe unlink(SharedMemoryBus.segmentPath(of: directory))
  }

  func makeBus() throws -> any MessageBus {
    try SharedMemoryBus(
      directory: directory,
      options: SharedMemoryOptions(
        geometry: RingGeometry(
          slotCount: 1024, laneCount: 16, laneBytes: 262_144, subscriptionCount: 32)))
  }
}
