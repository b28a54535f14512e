import BusTesting
import Glibc
import SharedRing
import Testing

@testable import ConclaveBus

/// A `SharedMemoryBus` with a small ring in a directory of its own.
final class SharedMemoryFixture: BusFixture {
  let transportName: String
  let remembersKeys = false
  let sharesAcrossHandles = true
  /// More than the slots.
  let overfill = 1500

  private let directory: BusDirectory
  private let temporary: TemporaryDirectory

  /// - Parameter width: the ring begins shortly before its numbers need more bits than that.
  init(before width: UInt64? = nil) throws {
    transportName = "SharedMemoryBus" + (width.map { " before 2^\($0)" } ?? "")
    temporary = try TemporaryDirectory()
    directory = try BusDirectory(opening: temporary.path)
    if let width { try directory.makeSegment(before: width, SharedMemoryFixture.ring) }
  }

  deinit {
    // Not `clean`, which refuses while the test's last bus object is still on its way out.
    unsafe unlink(SharedMemoryBus.segmentPath(of: directory))
  }

  func makeBus() throws -> any MessageBus {
    try SharedMemoryBus(
      directory: directory,
      options: SharedMemoryOptions(geometry: SharedMemoryFixture.ring))
  }

  static let ring = RingGeometry(
    slotCount: 1024, laneCount: 16, laneBytes: 262_144, subscriptionCount: 32)
}

extension BusDirectory {
  /// Makes the bus's segment as if 2^width - 2 records had been, and as many granules in each lane.
  func makeSegment(before width: UInt64, _ geometry: RingGeometry) throws {
    let location = SharedMemoryBus.location(of: self, in: "/dev/shm")
    try RingSubscriber(location, creating: geometry, policy: .dropping, label: "maker").leave()
    let last: UInt64 = width == 64 ? .max - 1 : (1 << width) - 2
    try RawSegment(path: location.path, geometry).age(records: last, granules: last)
    // What the last numbers are taken for.
    let first = width == 64 ? last % (1 << 28 * UInt64(geometry.slotCount)) : last
    try #require(RingSnapshot(of: location)?.frontier == first)
  }
}
