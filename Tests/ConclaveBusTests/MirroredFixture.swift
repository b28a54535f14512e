import BusTesting
import ConclaveBus
import Glibc
import SharedRing

/// A mirrored bus with a small ring in a directory of its own.
final class MirroredFixture: BusFixture {
  let transportName = "MirroredBus"
  let sharesAcrossHandles = true
  let losesWhenSlow = false
  let keepsMessages = true
  /// More than the slots.
  let overfill = 1500

  let directory: BusDirectory
  private let scratch = Scratch()

  init() throws { directory = try scratch.directory() }

  deinit { unsafe unlink(SharedMemoryBus.segmentPath(of: directory)) }

  func makeBus() throws -> any MessageBus { try bus() }

  func bus(_ change: (inout MirrorOptions) -> Void = { _ in }) throws(BusError) -> MirroredBus {
    var options = MirrorOptions(
      shared: SharedMemoryOptions(
        geometry: RingGeometry(
          slotCount: 1024, laneCount: 16, laneBytes: 262_144, subscriptionCount: 32)))
    change(&options)
    return try MirroredBus(directory: directory, options: options)
  }

  func file(_ topic: String) -> String { scratch.file(topic) }
}
