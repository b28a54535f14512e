import Glibc
public import SharedRing

/// A segment as plain memory, through a mapping of its own: for looking at what participants wrote,
/// and for writing what none would. The offsets are those of `conclave_layout.h`.
@safe
public final class RawSegment: Sendable {
  /// Whoever writes here does so where nothing else in this process looks, or on purpose.
  private nonisolated(unsafe) let base: UnsafeMutableRawPointer
  public let byteCount: Int
  public let geometry: RingGeometry

  public init(path: String, _ geometry: RingGeometry) throws {
    let descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw RingError.system(errno: errno) }
    defer { close(descriptor) }
    var status = stat()
    unsafe fstat(descriptor, &status)
    byteCount = Int(status.st_size)
    self.geometry = geometry
    let mapped = unsafe mmap(
      nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
      throw RingError.system(errno: errno)
    }
    unsafe base = mapped
  }

  deinit { unsafe munmap(base, byteCount) }

  private func pages(_ bytes: Int) -> Int { (bytes + 4095) / 4096 * 4096 }

  public var board: Int { 4096 }
  public var laneWaits: Int { board + 384 }
  public var presences: Int { laneWaits + geometry.laneCount * 128 }
  public var tail: Int { pages(presences + geometry.subscriptionCount * 256) }
  public var slots: Int { tail + 4096 }
  public var rows: Int { slots + pages(geometry.slotCount * 8) }
  public var laneHeaders: Int { rows + geometry.subscriptionCount * 4096 }
  public var lanes: Int { laneHeaders + geometry.laneCount * 8192 }

  public func slot(_ position: UInt64) -> Int {
    slots + Int(position % UInt64(geometry.slotCount)) * 8
  }
  public func reserve(_ lane: Int) -> Int { laneHeaders + lane * 8192 }
  public func published(_ lane: Int) -> Int { laneHeaders + lane * 8192 + 8 }
  public func incarnation(_ lane: Int) -> Int { laneHeaders + lane * 8192 + 64 }
  public func rowState(_ row: Int) -> Int { rows + row * 4096 }
  public func rowCursor(_ row: Int) -> Int { rows + row * 4096 + 8 }
  public func rowConsumed(_ row: Int, lane: Int) -> Int { rows + row * 4096 + 128 + lane * 8 }
  /// The owner's number, and how much of its list of streams is in use, in the upper half.
  public func listBytes(_ lane: Int) -> Int { laneHeaders + lane * 8192 + 80 }
  public func laneByte(_ lane: Int, _ granule: UInt64) -> Int {
    lanes + lane * geometry.laneBytes + Int(granule) * 64 % geometry.laneBytes
  }

  /// The word at a byte offset, a multiple of 8.
  public subscript(offset: Int) -> UInt64 {
    get { unsafe base.load(fromByteOffset: offset, as: UInt64.self) }
    set { unsafe base.storeBytes(of: newValue, toByteOffset: offset, as: UInt64.self) }
  }

  public func byte(_ offset: Int, _ value: UInt8) {
    unsafe base.storeBytes(of: value, toByteOffset: offset, as: UInt8.self)
  }

  /// The slot's value for a record at `granule` of `lane` in position `position`.
  public func slotValue(_ position: UInt64, lane: UInt64, granule: UInt64) -> UInt64 {
    let lap = (position / UInt64(geometry.slotCount) + 1) & 0xFFF_FFFF
    return lap << 36 | lane << 28 | granule & 0xFFF_FFFF
  }

  /// Sets the ring and its lanes as if `records` records had been, and `granules` granules in each
  /// lane. Nobody may take part.
  public func age(records: UInt64, granules: UInt64) {
    for lane in 0..<geometry.laneCount {
      self[reserve(lane)] = granules
      self[published(lane)] = granules
    }
    let slots = UInt64(geometry.slotCount)
    for position in records - slots..<records {
      self[slot(position)] = slotValue(
        position, lane: position % UInt64(geometry.laneCount),
        granule: granules &- slots &+ position % slots)
    }
    self[tail] = records
  }
}
