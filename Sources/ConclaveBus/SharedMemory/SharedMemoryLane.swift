import CShim
import SharedRing
import Synchronization

/// This process's lane on one bus, shared by all ``SharedMemoryBus`` objects on it: in one process
/// every message of a sender goes through one lane, under one lock, so that the order of the ring
/// and the numbers never disagree.
@safe
final class SharedMemoryLane: Sendable {
  private struct Holder: ~Copyable, Sendable {
    var publisher: RingPublisher
    var clock = conclave_stamp_clock()
    /// Ids are taken from the process's counter in blocks, which saves an atomic addition per
    /// message; within a lane they rise.
    private var nextID: UInt64 = 0
    private var idLimit: UInt64 = 0
    private static let idBlock = 64

    init(publisher: consuming RingPublisher) { self.publisher = publisher }

    @inline(__always)
    mutating func takeID() -> UInt64 {
      if nextID == idLimit {
        nextID = ProcessIdentity.nextIDs(Holder.idBlock)
        idLimit = nextID + UInt64(Holder.idBlock)
      }
      defer { nextID += 1 }
      return nextID
    }

    @inline(__always)
    mutating func publish(
      _ payload: RawSpan, on stream: SharedMemoryStream, counter: UInt64? = nil, wantsSync: Bool,
      wait: RingPublisher.Wait
    ) throws(RingError) -> Bool {
      if wantsSync { stream.ask(toSync: true) }
      defer { if wantsSync { stream.ask(toSync: false) } }
      let now = unsafe conclave_stamp_clock_now(&clock)
      return try stream.publish(
        payload, to: &publisher, timestamp: now, counter: counter ?? takeID(), wait: wait,
        wakes: true)
    }

    mutating func publish(
      count: Int, wantsSync: Bool, _ each: (Int) -> (RawJSON, SharedMemoryStream)
    ) throws(RingError) -> Int {
      defer { publisher.wake() }
      let recordLimit = publisher.recordLimit
      let now = unsafe conclave_stamp_clock_now(&clock)
      for index in 0..<count {
        let (payload, stream) = each(index)
        if payload.bytes.count + stream.headBytes > recordLimit { return index }
        if wantsSync { stream.ask(toSync: true) }
        defer { if wantsSync { stream.ask(toSync: false) } }
        let published = try unsafe stream.publish(
          payload.bytes.span.bytes, to: &publisher, timestamp: now,
          counter: takeID(), wait: .never, wakes: false)
        if !published { return index }
      }
      return count
    }
  }

  private let holder: LaneLock<Holder>
  /// Apart from `holder`, which may be held for as long as somebody waits for room.
  private let registry: Lock<StreamRegistry>
  /// The largest payload in bytes: what names of the greatest length leave of the ring's limit.
  let payloadLimit: Int
  private let recordLimit: Int
  private let waitCount = Atomic<UInt64>(0)
  /// How many publishes of this process wait for the disk. What others publish meanwhile may be
  /// marked as well, which does no harm.
  private let syncCount = Atomic<Int>(0)
  /// What its records say whose they are.
  let incarnation: UInt64
  /// How far the mirror of this lane's ring is.
  let mirrorBoard: RingMirrorBoard

  private init(_ location: RingLocation, creating geometry: RingGeometry) throws(RingError) {
    let publisher = try RingPublisher(
      location, creating: geometry, incarnation: ProcessIdentity.newIncarnation())
    payloadLimit = publisher.messageLimit - RecordHead.reservedBytes
    recordLimit = publisher.recordLimit
    mirrorBoard = publisher.mirrorBoard
    incarnation = publisher.incarnation
    registry = Lock(StreamRegistry(list: publisher.streamList))
    holder = LaneLock(Holder(publisher: publisher))
  }

  /// The lane of this process on the bus at `location`, claimed when nobody in this process holds
  /// it.
  static func shared(
    at location: RingLocation, creating geometry: RingGeometry
  ) throws(RingError) -> SharedMemoryLane {
    try lanes.withLock { (lanes) throws(RingError) in
      if let lane = lanes[location]?.lane, !lane.mark.isForked { return lane }
      let lane = try SharedMemoryLane(location, creating: geometry)
      lanes[location] = Held(lane: lane)
      return lane
    }
  }

  private struct Held {
    weak var lane: SharedMemoryLane?
  }

  private static let lanes = Lock<[RingLocation: Held]>([:])
  private let mark = ProcessMark()

  /// The stream for these names. Streams with the same topic and sender share one numbering.
  ///
  /// - Parameter mayBeGivenUp: whether the mirror may give its messages up.
  func stream(
    topic: Topic, sender: String, type: String, mayBeGivenUp: Bool
  ) -> SharedMemoryStream {
    registry.withLock {
      $0.stream(topic: topic, sender: sender, type: type, mayBeGivenUp: mayBeGivenUp)
    }
  }

  /// Publishes a message with an idempotency key and an id that was taken for it; false when there
  /// was no room and `wait` is `.never`.
  func publish(
    _ message: Message, key: IdempotencyKey, counter: UInt64, to topic: Topic, wait: PublishWait,
    mayBeGivenUp: Bool, cancellation: RingCancellation
  ) throws(RingError) -> Bool {
    let stream = registry.withLock {
      $0.stream(
        topic: topic, sender: message.sender, type: message.type, key: key,
        mayBeGivenUp: mayBeGivenUp)
    }
    let wait: RingPublisher.Wait =
      wait == .blocking ? .untilRoom(cancellation) : .neverForPart(cancellation)
    return try holder.withLockWaiting { (holder) throws(RingError) in
      unsafe try holder.publish(
        message.payload.bytes.span.bytes, on: stream, counter: counter, wantsSync: wantsSync,
        wait: wait)
    }
  }

  /// - Throws: `messageTooLarge`.
  @inline(__always)
  func checkSize(_ bytes: Int) throws(BusError) {
    guard bytes <= payloadLimit else { throw .payloadTooLarge(bytes, limit: payloadLimit) }
  }

  @inline(__always)
  private var wantsSync: Bool { syncCount.load(ordering: .relaxed) > 0 }

  /// Runs `publish`, whose messages tell the mirror what their publisher waits for.
  func asking<R, Failure: Error>(
    _ durability: Durability, _ publish: () throws(Failure) -> R
  ) throws(Failure) -> R {
    guard durability == .synced else { return try publish() }
    syncCount.add(1, ordering: .relaxed)
    defer { syncCount.subtract(1, ordering: .relaxed) }
    return try publish()
  }

  /// The number of the last message of a stream, and the position behind all that this process has
  /// published. May wait while somebody publishes.
  func end(of numbering: SharedMemoryStream.Numbering) -> (seq: UInt64, position: UInt64) {
    holder.withLockWaiting { (unsafe numbering.last.pointee, $0.publisher.lastPosition &+ 1) }
  }

  /// The position of the last record that this process has published. May wait while somebody
  /// publishes.
  var lastPosition: UInt64 { holder.withLockWaiting { $0.publisher.lastPosition } }

  /// The first position of the ring that has no record yet.
  var frontier: UInt64 { holder.withLockWaiting { $0.publisher.frontier } }

  /// How many publishes had to wait for a subscription.
  var waits: UInt64 { waitCount.load(ordering: .relaxed) }

  /// Whether a payload of so many bytes travels in several records, between which there may be no
  /// room.
  @inline(__always)
  func isLarge(_ bytes: Int, _ stream: SharedMemoryStream) -> Bool {
    bytes + stream.headBytes > recordLimit
  }

  /// Publishes one payload; false when there was no room and `wait` is `.never`.
  @inline(__always)
  func publish(
    _ payload: RawSpan, on stream: SharedMemoryStream, wait: PublishWait,
    cancellation: RingCancellation
  ) throws(RingError) -> Bool {
    if isLarge(payload.byteCount, stream) {
      return try publishLarge(payload, on: stream, wait: wait, cancellation: cancellation)
    }
    // Almost always there is room.
    let published = try holder.withLock { (holder) throws(RingError) in
      try holder.publish(payload, on: stream, wantsSync: wantsSync, wait: .never)
    }
    if published == true { return true }
    guard wait == .blocking else { return false }
    return try publishWaiting(payload, on: stream, cancellation: cancellation)
  }

  private func publishWaiting(
    _ payload: RawSpan, on stream: SharedMemoryStream, cancellation: RingCancellation
  ) throws(RingError) -> Bool {
    try holder.withLockWaiting { (holder) throws(RingError) in
      waitCount.wrappingAdd(1, ordering: .relaxed)
      return try holder.publish(
        payload, on: stream, wantsSync: wantsSync, wait: .untilRoom(cancellation))
    }
  }

  /// Half a message is worth nothing, so this may sleep once it has begun, and the others must
  /// know.
  private func publishLarge(
    _ payload: RawSpan, on stream: SharedMemoryStream, wait: PublishWait,
    cancellation: RingCancellation
  ) throws(RingError) -> Bool {
    guard wait == .never else {
      return try holder.withLockWaiting { (holder) throws(RingError) in
        try holder.publish(
          payload, on: stream, wantsSync: wantsSync, wait: .untilRoom(cancellation))
      }
    }
    return try holder.withLockWaitingIfAvailable { (holder) throws(RingError) in
      try holder.publish(
        payload, on: stream, wantsSync: wantsSync, wait: .neverForPart(cancellation))
    } ?? false
  }

  /// Publishes payloads as long as there is room and none is large, and wakes subscribers once.
  func publish(
    count: Int, _ each: (Int) -> (RawJSON, SharedMemoryStream)
  ) throws(RingError) -> Int {
    try holder.withLock { (holder) throws(RingError) in
      try holder.publish(count: count, wantsSync: wantsSync, each)
    } ?? 0
  }
}
