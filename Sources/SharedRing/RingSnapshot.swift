import CShim
import Glibc

/// What an onlooker sees of a ring: mapped read-only, holding no lock, disturbing nobody. The
/// numbers are the participants' own and may contradict each other by a moment.
public struct RingSnapshot: Hashable, Sendable {
  public struct Lane: Hashable, Sendable {
    public let index: Int
    public let isLive: Bool
    public let process: UInt32
    public let incarnation: UInt64
    public let messages: UInt64
  }

  public struct Subscriber: Hashable, Sendable {
    public let index: Int
    public let isLive: Bool
    public let process: UInt32
    public let hasBackPressure: Bool
    public let position: UInt64
    /// Up to where publishers may write over the order ring as far as it is concerned: not further
    /// than `position`, which who keeps messages says first. Meaningless without back pressure.
    public let released: UInt64
    public let lost: UInt64
    public let label: String
  }

  public let geometry: RingGeometry
  public let layoutVersion: UInt32
  public let generation: [UInt8]
  /// CLOCK_REALTIME, nanoseconds.
  public let createdNanoseconds: UInt64
  public let bytes: UInt64
  /// How many of the bytes occupy memory.
  public let reservedBytes: UInt64
  public let frontier: UInt64
  public let lanes: [Lane]
  public let subscribers: [Subscriber]
  /// How far the mirror is; not further than `frontier`, unless the segment is damaged.
  public let mirror: RingMirrorProgress
  public let damage: RingDamage

  /// - Returns: nil when there is no segment.
  /// - Throws: `squatted`, `incompatible`, `permissionDenied`, `system`.
  public init?(of location: RingLocation) throws(RingError) {
    var descriptor: Int32 = -1
    var header = conclave_segment_header()
    let failure = RingSegment.open(location, CONCLAVE_OBSERVE, &descriptor, &header)
    if failure == ENOENT { return nil }
    guard failure == 0 else {
      if descriptor >= 0 { close(descriptor) }
      throw RingError(code: failure)
    }
    var status = stat()
    _ = unsafe fstat(descriptor, &status)
    var view = try unsafe RingSegment.mapView(descriptor, header, CONCLAVE_OBSERVE)
    defer { unsafe conclave_view_unmap(&view) }
    geometry = unsafe RingGeometry(view.geometry)
    layoutVersion = header.layout_version
    generation = unsafe withUnsafeBytes(of: header.generation) { unsafe Array($0) }
    createdNanoseconds = header.created_ns
    bytes = header.segment_bytes
    reservedBytes = UInt64(status.st_blocks) * 512
    lanes = unsafe RingSnapshot.readLanes(&view)
    subscribers = unsafe RingSnapshot.readSubscribers(&view)
    mirror = RingMirrorProgress(unsafe conclave_mirror_read(&view))
    frontier = unsafe conclave_frontier(&view)
    damage = unsafe RingDamage.find(&view)
  }

  private static func readLanes(_ view: UnsafePointer<conclave_view>) -> [Lane] {
    unsafe (0..<view.pointee.geometry.lane_count).compactMap { index in
      let incarnation = unsafe conclave_lane_incarnation(view, index)
      let held = unsafe conclave_lock_held(
        view.pointee.descriptor, CONCLAVE_LOCK_LANES + Int64(index), 1)
      guard incarnation != 0 || held == 1 else { return nil }
      return unsafe Lane(
        index: Int(index), isLive: held != 0, process: conclave_lane_process(view, index),
        incarnation: incarnation, messages: conclave_lane_messages(view, index))
    }
  }

  /// The process with the first live subscription with back pressure that is called `label`.
  static func mirror(
    labelled label: String, _ view: UnsafePointer<conclave_view>
  ) -> UInt32? {
    unsafe readSubscribers(view).first { $0.isLive && $0.hasBackPressure && $0.label == label }?
      .process
  }

  static func readSubscribers(_ view: UnsafePointer<conclave_view>) -> [Subscriber] {
    unsafe (0..<view.pointee.geometry.row_count).compactMap { index in
      let held = unsafe conclave_lock_held(
        view.pointee.descriptor, CONCLAVE_LOCK_ROWS + Int64(index), 1)
      let seen = unsafe conclave_presence_read(view, index)
      guard held == 1 || seen.pid != 0 else { return nil }
      return Subscriber(
        index: Int(index), isLive: held != 0, process: seen.pid,
        hasBackPressure: seen.back_pressure != 0, position: seen.cursor,
        released: unsafe conclave_row_cursor(view, index), lost: seen.lost, label: seen.text)
    }
  }
}

extension conclave_presence_copy {
  var text: String {
    unsafe withUnsafeBytes(of: label) { bytes in
      unsafe String(decoding: bytes.prefix(Int(label_bytes)), as: UTF8.self)
    }
  }
}
