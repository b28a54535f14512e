import SharedRing

/// The hot path behind a ``Publisher`` on shared memory.
final class SharedMemoryEndpoint: PublisherEndpoint {
  private let lane: SharedMemoryLane
  let stream: SharedMemoryStream
  private let mark: ProcessMark
  private let closing: RingCancellation
  private let location: RingLocation

  init(
    lane: SharedMemoryLane, stream: SharedMemoryStream, mark: ProcessMark,
    closing: RingCancellation, location: RingLocation
  ) {
    self.lane = lane
    self.stream = stream
    self.mark = mark
    self.closing = closing
    self.location = location
  }

  @inline(__always)
  func publish(validated payload: RawSpan, wait: PublishWait) throws(BusError) -> Bool {
    if closing.isRaised { throw .busClosed }
    try mark.check()
    try lane.checkSize(payload.byteCount)
    do throws(RingError) {
      return try lane.publish(payload, on: stream, wait: wait, cancellation: closing)
    } catch { throw BusError(error, location) }
  }

  func publish(
    validated payloads: [RawJSON], wait: PublishWait
  ) throws(PublishFailure) -> Int {
    do throws(BusError) {
      if closing.isRaised { throw .busClosed }
      try mark.check()
    } catch { throw PublishFailure(error) }
    return try SharedMemoryBatch(lane: lane, closing: closing, location: location)
      .publish(count: payloads.count, wait: wait) { (payloads[$0], stream) }
  }
}

/// Publishes several messages: all that fit under one lock, then one by one as there is room.
struct SharedMemoryBatch {
  let lane: SharedMemoryLane
  let closing: RingCancellation
  let location: RingLocation

  func publish(
    count: Int, wait: PublishWait, _ each: (Int) -> (RawJSON, SharedMemoryStream)
  ) throws(PublishFailure) -> Int {
    var published = 0
    do throws(BusError) {
      for index in 0..<count { try lane.checkSize(each(index).0.bytes.count) }
    } catch { throw PublishFailure(error) }
    do throws(RingError) {
      while published < count {
        let done = published
        published += try lane.publish(count: count - done) { each(done + $0) }
        guard published < count else { break }
        let (payload, stream) = each(published)
        guard wait == .blocking || lane.isLarge(payload.bytes.count, stream),
          try unsafe lane.publish(
            payload.bytes.span.bytes, on: stream, wait: wait, cancellation: closing)
        else { break }
        published += 1
      }
      return published
    } catch { throw PublishFailure(BusError(error, location), published: published) }
  }
}
