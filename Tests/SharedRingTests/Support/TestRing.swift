import BusTesting
import Glibc
import SharedRing
import Synchronization

/// A ring of its own in a directory of its own in shared memory; both are gone when this object is.
final class TestRing: Sendable {
  let location: RingLocation
  let geometry: RingGeometry

  /// As small as a ring can be, so that everything goes round soon.
  static let small = RingGeometry(
    slotCount: 64, laneCount: 4, laneBytes: 16_384, subscriptionCount: 4,
    messageLimit: 2_097_152)

  init(
    _ geometry: RingGeometry = TestRing.small, in directory: String? = nil,
    sharedWith rights: RingRights = .user
  ) throws {
    self.geometry = geometry
    let path = try directory ?? makeDirectory()
    location = RingLocation(directory: path, name: "segment", owner: "/some/bus", rights: rights)
    ownsDirectory = directory == nil
  }

  private let ownsDirectory: Bool

  deinit {
    unsafe unlink(location.path)
    if ownsDirectory { unsafe rmdir(location.directory) }
  }

  func publisher() throws(RingError) -> TestPublisher { try TestPublisher(self) }

  func subscriber(
    _ policy: RingSubscriber.Policy = .dropping, label: String = "test"
  ) throws(RingError) -> RingSubscriber {
    // Who only reads makes no segment.
    if policy == .readOnly { _ = try? subscriber(.dropping) }
    return try RingSubscriber(location, creating: geometry, policy: policy, label: label)
  }

  /// With back pressure that nobody waits out.
  func patientSubscriber() throws(RingError) -> RingSubscriber {
    try subscriber(.backPressure(timeoutNanoseconds: .max))
  }
}

extension RawSegment {
  convenience init(_ ring: TestRing) throws {
    try self.init(path: ring.location.path, ring.geometry)
  }
}

extension RingSubscriber.Policy {
  static let withRows: [RingSubscriber.Policy] = [
    .dropping, .backPressure(timeoutNanoseconds: .max),
  ]
  static let all = withRows + [.readOnly]
}

/// An empty directory in shared memory, of this user alone.
func makeDirectory() throws -> String {
  var template = Array("/dev/shm/conclave-test-XXXXXX".utf8CString)
  guard unsafe mkdtemp(&template) != nil else { throw RingError.system(errno: errno) }
  return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// A publisher that threads may share, and that dies when it is told to.
final class TestPublisher: Sendable {
  private let publisher: Lock<RingPublisher?>
  let lane: Int
  let incarnation: UInt64

  init(_ ring: TestRing, incarnation: UInt64 = 1) throws(RingError) {
    let made = try RingPublisher(
      ring.location, creating: ring.geometry, incarnation: incarnation)
    lane = made.lane
    self.incarnation = made.incarnation
    publisher = Lock(made)
  }

  /// Publishes, and wakes subscribers if it is to.
  @discardableResult
  func publish(
    _ bytes: [UInt8], wait: RingPublisher.Wait = .never, wakes: Bool = true
  ) throws(RingError) -> Bool {
    try publisher.withLock { (publisher) throws(RingError) in
      unsafe try publisher?.publish(
        head: UnsafeRawBufferPointer(start: nil, count: 0), body: bytes.span.bytes,
        as: .unlisted, number: 0, wait: wait, wakes: wakes) ?? false
    }
  }

  var lastPosition: UInt64? { publisher.withLock { $0?.tellLastPosition() } }

  /// Gives the lane back as the kernel does for the dead.
  func die() { publisher.withLock { $0 = nil } }
}

extension RingPublisher {
  /// `mutating`, because what an optional holds can only be looked at in place that way.
  fileprivate mutating func tellLastPosition() -> UInt64 { lastPosition }
}
