import Glibc
import SharedRing

extension SharedMemoryBus {
  /// Where the segment of a bus lies: `conclave-{uid of the directory's owner}-{hash of its path}`.
  /// The path itself stands in the segment's header, so that two directories with one hash are
  /// noticed.
  static func location(of directory: BusDirectory, in segmentDirectory: String) -> RingLocation {
    let hash = String(fnv1a(directory.path.utf8), radix: 16)
    let padded = String(repeating: "0", count: 16 - hash.count) + hash
    return RingLocation(
      directory: segmentDirectory, name: "conclave-\(directory.owner)-\(padded)",
      owner: directory.path, rights: directory.access.rights)
  }

  /// The file of the segment that the bus of `directory` has or would have.
  public static func segmentPath(
    of directory: BusDirectory, in segmentDirectory: String = "/dev/shm"
  ) -> String {
    location(of: directory, in: segmentDirectory).path
  }

  /// Looks at the segment of a bus without joining it; nil when there is none.
  ///
  /// - Throws: `permissionDenied`, `incompatible`, `system`.
  public static func status(
    of directory: BusDirectory, in segmentDirectory: String = "/dev/shm"
  ) throws(BusError) -> SharedMemoryStatus? {
    let location = location(of: directory, in: segmentDirectory)
    do throws(RingError) {
      return try RingSnapshot(of: location).map { SharedMemoryStatus($0, path: location.path) }
    } catch { throw BusError(error, location) }
  }

  /// Removes the segment of a bus whose participants are all dead; false when there is none.
  ///
  /// - Throws: `busy` while one lives; `permissionDenied`, `system`.
  public static func clean(
    _ directory: BusDirectory, in segmentDirectory: String = "/dev/shm"
  ) throws(BusError) -> Bool {
    let location = location(of: directory, in: segmentDirectory)
    do throws(RingError) {
      return try location.removeSegment()
    } catch { throw BusError(error, location) }
  }
}

extension BusAccess {
  /// Those of the segment.
  var rights: RingRights {
    switch self {
    case .user: .user
    case .group(let group): .group(group)
    }
  }
}

/// The 64-bit FNV-1a hash (Fowler, Noll, Vo): stable over versions, for a file name.
private func fnv1a(_ bytes: some Sequence<UInt8>) -> UInt64 {
  bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}

extension SharedMemoryStatus {
  init(_ snapshot: RingSnapshot, path: String) {
    self.init(
      path: path, bytes: snapshot.bytes, reservedBytes: snapshot.reservedBytes,
      layoutVersion: snapshot.layoutVersion,
      generation: snapshot.generation.map { byte in
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }.joined(),
      created: Timestamp(nanosecondsSinceEpoch: snapshot.createdNanoseconds),
      slotCount: snapshot.geometry.slotCount, laneCount: snapshot.geometry.laneCount,
      laneBytes: snapshot.geometry.laneBytes,
      subscriberCount: snapshot.geometry.subscriptionCount,
      messageLimit: snapshot.geometry.messageLimit, position: snapshot.frontier,
      lanes: snapshot.lanes.map {
        Lane(
          index: $0.index, isLive: $0.isLive, process: $0.process, incarnation: $0.incarnation,
          messages: $0.messages)
      },
      subscribers: snapshot.subscribers.map { Subscriber($0, in: snapshot) },
      damage: Damage(snapshot.damage), mirror: Mirror(snapshot))
  }
}

extension SharedMemoryStatus.Subscriber {
  fileprivate init(_ row: RingSnapshot.Subscriber, in snapshot: RingSnapshot) {
    self.init(
      index: row.index, isLive: row.isLive, process: row.process,
      hasBackPressure: row.hasBackPressure, prefix: row.label, position: row.position, lag: 0,
      lost: row.lost)
    // What the mirror has read it may not have written yet.
    if isMirror { position = min(position, snapshot.mirror.mirrored) }
    lag = snapshot.frontier - min(snapshot.frontier, position)
  }
}
