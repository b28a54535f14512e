import SharedRing

/// Publishes one stream on shared memory and waits for what it was promised.
final class MirroredPublisher: PublisherEndpoint {
  private let endpoint: SharedMemoryEndpoint
  private let lane: SharedMemoryLane
  private let closing: RingCancellation
  private let durability: Durability
  private let options: MirrorOptions
  private let directory: BusDirectory

  init(
    _ endpoint: SharedMemoryEndpoint, _ lane: SharedMemoryLane, _ closing: RingCancellation,
    _ durability: Durability, _ options: MirrorOptions, _ directory: BusDirectory
  ) {
    self.endpoint = endpoint
    self.lane = lane
    self.closing = closing
    self.durability = durability
    self.options = options
    self.directory = directory
  }

  func publish(validated payload: RawSpan, wait: PublishWait) throws(BusError) -> Bool {
    try lane.checkMirror(options)
    guard durability > .ring else { return try endpoint.publish(validated: payload, wait: wait) }
    // What is promised takes its time.
    guard wait == .blocking else { return false }
    let promise = MirrorPromise(lane.mirrorBoard, durability, options, directory)
    let published = try lane.asking(durability) { () throws(BusError) in
      try endpoint.publish(validated: payload, wait: wait)
    }
    if published { try promise.keep(lane.lastPosition, closing) }
    return published
  }

  func publish(
    validated payloads: [RawJSON], wait: PublishWait
  ) throws(PublishFailure) -> Int {
    try lane.publishKeeping(durability, options, directory, closing, wait: wait) {
      () throws(PublishFailure) in
      try endpoint.publish(validated: payloads, wait: wait)
    }
  }
}

extension SharedMemoryLane {
  /// - Throws: `notDurable` when the mirror cannot write and `options` say that publishes fail
  ///   then.
  func checkMirror(_ options: MirrorOptions) throws(BusError) {
    guard options.whenFailing == .fail else { return }
    let trouble = mirrorBoard.trouble
    if trouble != 0 { throw .mirrorFailing(trouble, isPublished: false) }
  }

  /// Runs `publish`, and waits for what `durability` promises of all that it published.
  func publishKeeping(
    _ durability: Durability, _ options: MirrorOptions, _ directory: BusDirectory,
    _ closing: RingCancellation, wait: PublishWait, _ publish: () throws(PublishFailure) -> Int
  ) throws(PublishFailure) -> Int {
    do throws(BusError) { try checkMirror(options) } catch { throw PublishFailure(error) }
    guard durability > .ring else { return try publish() }
    guard wait == .blocking else { return 0 }
    let promise = MirrorPromise(mirrorBoard, durability, options, directory)
    let published = try asking(durability, publish)
    guard published > 0 else { return 0 }
    do throws(BusError) {
      try promise.keep(lastPosition, closing)
    } catch { throw PublishFailure(error, published: published) }
    return published
  }
}
