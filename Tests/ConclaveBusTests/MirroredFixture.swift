import BusTesting
import Glibc
import SharedRing

@testable import ConclaveBus

/// A mirrored bus with a small ring in a directory of its own.
final class MirroredFixture: BusFixture {
  let transportName: String
  let sharesAcrossHandles = true
  let losesWhenSlow = false
  let keepsMessages = true
  /// More than the slots.
  let overfill = 1500

  let directory: BusDirectory
  private let scratch = Scratch()

  /// - Parameter width: as of a ``SharedMemoryFixture``.
  init(before width: UInt64? = nil) throws {
    transportName = "MirroredBus" + (width.map { " before 2^\($0)" } ?? "")
    directory = try scratch.directory()
    if let width { try directory.makeSegment(before: width, SharedMemoryFixture.ring) }
  }

  deinit { unsafe unlink(SharedMemoryBus.segmentPath(of: directory)) }

  func makeBus() throws -> any MessageBus { try bus() }

  func bus(_ change: (inout MirrorOptions) -> Void = { _ in }) throws(BusError) -> MirroredBus {
    var options = MirrorOptions(shared: MirroredFixture.smallRing)
    change(&options)
    return try MirroredBus(directory: directory, options: options)
  }

  static let smallRing = SharedMemoryOptions(geometry: SharedMemoryFixture.ring)

  /// A subscription of the ring itself.
  func probe(_ policy: RingSubscriber.Policy) throws(RingError) -> RingSubscriber {
    try RingSubscriber(
      SharedMemoryBus.location(of: directory, in: "/dev/shm"),
      creating: MirroredFixture.smallRing.geometry, policy: policy, label: "probe")
  }

  /// Waits until everything is in the files, and the mirror has given back the room of it.
  func settle() -> Bool {
    guard let probe = try? probe(.dropping) else { return false }
    let deadline = ContinuousClock.now.advanced(by: hangLimit)
    while released < probe.frontier, ContinuousClock.now < deadline { usleep(200) }
    return true
  }

  private var released: UInt64 {
    let location = SharedMemoryBus.location(of: directory, in: "/dev/shm")
    let snapshot = (try? RingSnapshot(of: location)) ?? nil
    return snapshot?.subscribers.first { $0.isLive && $0.label == Mirror.label }?.released ?? 0
  }

  func file(_ topic: String) -> String { scratch.file(topic) }
}
