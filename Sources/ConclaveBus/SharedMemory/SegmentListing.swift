import Glibc
import SharedRing

/// A segment of this user, whatever bus it belongs to.
public struct SegmentListing: Hashable, Sendable {
  public var path: String
  /// The bus directory that it was made for; nil when its header cannot be believed.
  public var directory: String?
  /// Bytes of memory that it occupies.
  public var reservedBytes: UInt64 = 0
  /// The processes that publish or subscribe, without repetition, rising.
  public var processes: [UInt32] = []
  /// Whether nobody takes part and its bus directory is gone, so that nobody ever will.
  public var isOrphan = false
  /// Why it cannot be looked into.
  public var failure: BusError?

  public init(path: String) { self.path = path }
}

extension SharedMemoryBus {
  /// All segments of this user, by path. Joins none of them. O(segments).
  ///
  /// - Throws: `notFound`, `permissionDenied`, `system`, when the directory cannot be listed.
  public static func segments(
    in segmentDirectory: String = "/dev/shm"
  ) throws(BusError) -> [SegmentListing] {
    let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
    let number = unsafe open(segmentDirectory, flags)
    guard number >= 0 else { throw .system("open", segmentDirectory) }
    let folder = OwnedDescriptor(number)
    let names = try PrivateFolder.names(in: folder).filter { isSegmentName($0) }
    return names.sorted().compactMap { listing($0, segmentDirectory) }
  }

  /// Removes a segment that nobody can ever use again.
  ///
  /// - Returns: false when it is gone, or no orphan any more.
  /// - Throws: `busy` when somebody takes part after all; `permissionDenied`, `system`.
  @discardableResult
  public static func removeOrphan(_ orphan: SegmentListing) throws(BusError) -> Bool {
    guard let slash = orphan.path.lastIndex(of: "/") else { return false }
    let name = String(orphan.path[orphan.path.index(after: slash)...])
    let directory = String(orphan.path[..<slash])
    guard isSegmentName(name), let now = listing(name, directory), now.isOrphan else {
      return false
    }
    let location = RingLocation(directory: directory, name: name, owner: now.directory ?? "")
    do throws(RingError) {
      return try location.removeSegment()
    } catch { throw BusError(error, location) }
  }

  /// `conclave-{uid}-{16 hexadecimal digits}`.
  private static func isSegmentName(_ name: String) -> Bool {
    let prefix = "conclave-\(geteuid())-"
    let digits = name.utf8.dropFirst(prefix.utf8.count)
    let hexadecimal = UInt8(ascii: "0")...UInt8(ascii: "9")
    return name.hasPrefix(prefix) && digits.count == 16
      && digits.allSatisfy {
        hexadecimal.contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
  }

  private static func listing(_ name: String, _ segmentDirectory: String) -> SegmentListing? {
    var listing = SegmentListing(path: "\(segmentDirectory)/\(name)")
    var location = RingLocation(directory: segmentDirectory, name: name, owner: "")
    do throws(RingError) {
      guard let written = try RingLocation.written(in: segmentDirectory, name: name),
        let snapshot = try RingSnapshot(of: written)
      else { return nil }
      location = written
      listing.directory = written.owner
      listing.reservedBytes = snapshot.reservedBytes
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

  /// Whether a bus directory leads to this segment.
  private static func isBus(_ written: RingLocation) -> Bool {
    do throws(BusError) {
      let directory = try BusDirectory(opening: written.owner, create: false)
      return location(of: directory, in: written.directory) == written
    } catch {
      // A directory that only cannot be used just now may be used again.
      return error.code != .notFound
    }
  }
}
