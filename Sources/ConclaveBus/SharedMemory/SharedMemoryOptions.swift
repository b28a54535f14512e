public import SharedRing

/// How to open a ``SharedMemoryBus``.
public struct SharedMemoryOptions: Hashable, Sendable {
  /// The segment's size, should this process be the one that makes it. Who joins later takes it as
  /// it is.
  public var geometry: RingGeometry
  /// The tmpfs in which the segment lies; every participant must name the same.
  public var segmentDirectory: String

  public init(
    geometry: RingGeometry = RingGeometry(), segmentDirectory: String = "/dev/shm"
  ) {
    self.geometry = geometry
    self.segmentDirectory = segmentDirectory
  }
}
