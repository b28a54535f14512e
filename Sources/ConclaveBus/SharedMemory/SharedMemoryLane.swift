import CShim
import Glibc
import SharedRing
import Synchronization

/// This process's lane on one bus, shared by all ``SharedMemoryBus`` objects on it: in one process
/// every message of a sender goes through one lane, under one lock, so that the order of the ring and
/// the numbers never disagree.
@safe
final class SharedMemoryLane: Sendable {
  private struct Holder: ~Copyable {
    var publisher: RingPublisher
    var clock = conclave_stamp_clock()
    var numberings: [[UInt8]: SharedMemoryStream.Numbering] = [:]

    @inline(__always)
    mutating func publish(
      _ payload: RawSpan, on stream: SharedMemoryStream, wait: RingPublisher.Wait
    ) throws(RingError) -> Bool {
      let now = unsafe conclave_stamp_clock_now(&clock)
      let published = try stream.publish(
        payload, to: &publisher, timestamp: now, counter: ProcessIdentity.nextIDs(1), wait: wait)
      publisher.wake()
      return published
    }

    mutating func publish(
      count: Int, _ each: (Int) -> (RawJSON, SharedMemoryStream)
    ) throws(RingError) -> Int {
      defer { publisher.wake() }
      let counter = ProcessIdentity.nextIDs(count)
      let now = unsafe conclave_stamp_clock_now(&clock)
      for index in 0..<count {
        let (payload, stream) = each(index)
        let published = try unsafe stream.publish(
          payload.bytes.span.bytes, to: &publisher, timestamp: now,
          counter: counter + UInt64(index), wait: .never)
        if !published { return index }
      }
      return count
    }
  }

  private let holder: Mutex<Holder>
  /// Whether somebody holds the lock and sleeps for room.
  private let isWaiting = Atomic<Bool>(false)
  let identity: ProcessIdentity
  let messageLimit: Int

  init(_ location: RingLocation, geometry: RingGeometry) throws(RingError) {
    let identity = ProcessIdentity.current
    let publisher = try RingPublisher(
      location, creating: geometry, incarnation: ProcessIdentity.newIncarnation())
    messageLimit = publisher.messageLimit
    self.identity = identity
    holder = Mutex(Holder(publisher: publisher))
  }

  /// The stream for these names; `type` may differ between streams with one numbering.
  func stream(topic: Topic, sender: String, type: String) -> SharedMemoryStream {
    let key = StreamKey.bytes(topic: topic, sender: sender)
    let numbering = holder.withLock { holder in
      if let known = holder.numberings[key] { return known }
      let added = SharedMemoryStream.Numbering(
        number: UInt16(min(holder.numberings.count, Int(RecordHead.unnumbered))),
        listing: holder.publisher.addStream(key: key))
      holder.numberings[key] = added
      return added
    }
    return SharedMemoryStream(
      numbering: numbering, topic: topic, sender: sender, type: type, process: identity.process)
  }

  /// How often publishing had to wait for a subscription.
  var waits: UInt64 { holder.withLock { $0.publisher.waits } }

  /// Publishes one payload; false when there was no room and `wait` is `.never`.
  func publish(
    _ payload: RawSpan, on stream: SharedMemoryStream, wait: PublishWait,
    cancellation: RingCancellation
  ) throws(RingError) -> Bool {
    // Almost always there is room, and the lock is held for some nanoseconds only.
    let published = try withHolder { (holder) throws(RingError) in
      try holder.publish(payload, on: stream, wait: .never)
    }
    if published == true { return true }
    guard wait == .blocking else { return false }
    return try publishWaiting(payload, on: stream, cancellation: cancellation)
  }

  /// Publishes as many of `count` payloads as there is room for, and wakes subscribers once.
  func publish(
    count: Int, _ each: (Int) -> (RawJSON, SharedMemoryStream)
  ) throws(RingError) -> Int {
    try withHolder { (holder) throws(RingError) in
      try holder.publish(count: count, each)
    } ?? 0
  }

  /// Runs `body` with the lock, or returns nil at once while somebody sleeps for room with the lock
  /// held: then there is no room for us either, and to wait for the lock would be to wait for room.
  private func withHolder<R>(
    _ body: (inout Holder) throws(RingError) -> R
  ) throws(RingError) -> R? {
    while !isWaiting.load(ordering: .acquiring) {
      let result = try holder.withLockIfAvailable { (holder) throws(RingError) in
        try body(&holder)
      }
      if let result { return result }
      sched_yield()
    }
    return nil
  }

  private func publishWaiting(
    _ payload: RawSpan, on stream: SharedMemoryStream, cancellation: RingCancellation
  ) throws(RingError) -> Bool {
    try holder.withLock { (holder) throws(RingError) in
      isWaiting.store(true, ordering: .releasing)
      defer { isWaiting.store(false, ordering: .releasing) }
      return try holder.publish(payload, on: stream, wait: .untilRoom(cancellation))
    }
  }
}
