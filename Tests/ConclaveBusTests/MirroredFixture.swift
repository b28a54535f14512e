import BusTesting
import Glibc
import SharedRing

@testable import ConclaveBus

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

  /// Waits until everything is in the files.
  func settle() -> Bool {
    let location = SharedMemoryBus.location(of: directory, in: "/dev/shm")
    let probe = try? RingSubscriber(
      location, creating: RingGeometry(), policy: .dropping, label: "probe")
    guard let probe else { return false }
    let deadline = ContinuousClock.now.advanced(by: hangLimit)
    while probe.mirrorBoard.mirrored < probe.frontier, ContinuousClock.now < deadline {
      usleep(200)
    }
    return true
  }

  func file(_ topic: String) -> String { scratch.file(topic) }
}
