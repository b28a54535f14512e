import Glibc
import SharedRing

/// A segment that this user has made, whatever bus it belongs to.
public struct SegmentListing: Hashable, Sendable {
  public var path: String
  /// The bus directory that it was made for; nil when its header cannot be believed.
  public var directory: String?
  /// Bytes of memory that it occupies.
  public var reservedBytes: UInt64 = 0
  /// The processes that publish or subscribe, without repetition, rising.
  public var processes: [UInt32] = []
  /// Whether nobody takes part and its bus directory is gone, so that nobody will unless it comes
  /// back.
  public var isOrphan = false
  /// How many of its records no mirror has copied into files. Those that the ring still has are
  /// lost with the segment.
  public var unmirrored: UInt64 = 0
  /// As its file's mode has it.
  var rights = RingRights.user
  /// Why it cannot be looked into.
  public var failure: BusError?

  public init(path: String) { self.path = path }
}

extension SharedMemoryBus {
  /// All segments that this user has made, by path. Joins none of them. O(segments).
  ///
  /// - Throws: `notFound`, `permissionDenied`, `system`, when the directory cannot be listed.
  public static func segments(
    in segmentDirectory: String = "/dev/shm"
  ) throws(BusError) -> [SegmentListing] {
    let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
    let number = unsafe open(segmentDirectory, flags)
    guard number >= 0 else { throw .system("open", segmentDirectory) }
    let folder = OwnedDescriptor(number)
    let names = try PrivateFolder.names(in: folder).filter { ownerNamed(by: $0) != nil }
    return names.sorted().compactMap { listing($0, segmentDirectory) }
  }

  /// Removes a segment whose bus directory is gone, with the messages that it has. Where that
  /// directory was only moved or is not mounted just now, they are lost when it comes back.
  ///
  /// - Returns: false when it is gone, or no orphan any more.
  /// - Throws: `busy` when somebody takes part after all; `permissionDenied`, `system`.
  @discardableResult
  public static func removeOrphan(_ orphan: SegmentListing) throws(BusError) -> Bool {
    guard let slash = orphan.path.lastIndex(of: "/") else { return false }
    let name = String(orphan.path[orphan.path.index(after: slash)...])
    let directory = String(orphan.path[..<slash])
    guard ownerNamed(by: name) != nil, let now = listing(name, directory), now.isOrphan else {
      return false
    }
    let location = RingLocation(
      directory: directory, name: name, owner: now.directory ?? "", rights: now.rights)
    do throws(RingError) {
      return try location.removeSegment()
    } catch { throw BusError(error, location) }
  }

  /// The uid in `conclave-{uid}-{16 hexadecimal digits}`; nil for other names.
  private static func ownerNamed(by name: String) -> uid_t? {
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    let isHash =
      parts.last?.utf8.count == 16
      && parts.last?.utf8.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      } == true
    guard parts.count == 3, parts[0] == "conclave", isHash, let owner = uid_t(parts[1]),
      String(owner) == parts[1]
    else { return nil }
    return owner
  }

  private static func listing(_ name: String, _ segmentDirectory: String) -> SegmentListing? {
    var listing = SegmentListing(path: "\(segmentDirectory)/\(name)")
    var status = stat()
    // Of another's nothing is believed, and /dev/shm lets nobody but root remove it.
    guard unsafe lstat(listing.path, &status) == 0, status.st_uid == geteuid() else { return nil }
    listing.rights = RingRights(status)
    var location = RingLocation(
      directory: segmentDirectory, name: name, owner: "", rights: listing.rights)
    do throws(RingError) {
      guard
        let written = try RingLocation.written(
          in: segmentDirectory, name: name, rights: listing.rights),
        let snapshot = try RingSnapshot(of: written)
      else { return nil }
      location = written
      listing.directory = written.owner
      listing.reservedBytes = snapshot.reservedBytes
      listing.unmirrored =
        snapshot.frontier - min(snapshot.frontier, snapshot.mirror.mirrored)
      let live =
        snapshot.lanes.filter(\.isLive).map(\.process)
        + snapshot.subscribers.filter(\.isLive).map(\.process)
      listing.processes = Set(live).sorted()
      listing.isOrphan = live.isEmpty && !isBus(written)
    } catch {
      listing.failure = BusError(error, location)
    }
    return listing
  }

  /// Whether a bus directory leads to this segment, shared with whomever.
  private static func isBus(_ written: RingLocation) -> Bool {
    do throws(BusError) {
      let directory = try BusDirectory(
        opening: written.owner, create: false, access: BusAccess(written.rights))
      return location(of: directory, in: written.directory).path == written.path
    } catch {
      // A directory that only cannot be used just now, or not in this way, may be used again.
      return error.code != .notFound
    }
  }
}

extension RingRights {
  /// Those that a segment's file has.
  fileprivate init(_ status: stat) {
    self =
      switch status.st_mode & 0o077 {
      case 0o060: .group(status.st_gid)
      default: .user
      }
  }
}

extension BusAccess {
  fileprivate init(_ rights: RingRights) {
    self =
      switch rights {
      case .user: .user
      case .group(let group): .group(group)
      }
  }
}
