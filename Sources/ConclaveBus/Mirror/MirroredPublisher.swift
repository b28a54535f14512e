import SharedRing

/// Publishes one stream on shared memory and waits for what it was promised.
final class MirroredPublisher: PublisherEndpoint {
  private let endpoint: SharedMemoryEndpoint
  private let lane: SharedMemoryLane
  private let durability: Durability
  private let wait: MirroredWait
  private let numberings: [String: SharedMemoryStream.Numbering]

  init(
    _ endpoint: SharedMemoryEndpoint, _ lane: SharedMemoryLane, _ durability: Durability,
    _ wait: MirroredWait, sender: String
  ) {
    self.endpoint = endpoint
    self.lane = lane
    self.durability = durability
    self.wait = wait
    numberings = [sender: endpoint.stream.numbering]
  }

  func publish(validated payload: RawSpan, wait mode: PublishWait) throws(BusError) -> Bool {
    guard durability > .ring else {
      try wait.checkMirror(lane)
      return try endpoint.publish(validated: payload, wait: mode)
    }
    do throws(PublishFailure) {
      return try wait.publish(lane, durability, mode, numberings) {
        () throws(PublishFailure) in
        do throws(BusError) {
          return try endpoint.publish(validated: payload, wait: mode) ? 1 : 0
        } catch { throw PublishFailure(error) }
      } > 0
    } catch { throw error.cause }
  }

  func publish(
    validated payloads: [RawJSON], wait mode: PublishWait
  ) throws(PublishFailure) -> Int {
    try wait.publish(lane, durability, mode, numberings) { () throws(PublishFailure) in
      try endpoint.publish(validated: payloads, wait: mode)
    }
  }
}

/// How publishes of one bus object on one topic wait for the mirror.
struct MirroredWait {
  let files: FileBusShared
  let topic: Topic
  let options: MirrorOptions
  let directory: BusDirectory
  let closing: RingCancellation

  init(_ bus: MirroredBus, _ topic: Topic) {
    files = bus.files.shared
    self.topic = topic
    options = bus.options
    directory = bus.directory
    closing = bus.shared.closing
  }

  /// - Throws: `notDurable` when the mirror cannot write the topic and publishes are to fail then.
  func checkMirror(_ lane: SharedMemoryLane) throws(BusError) {
    guard options.whenFailing == .fail, let trouble = lane.mirrorBoard.trouble,
      trouble.concerns(topic)
    else { return }
    throw .mirrorFailing(trouble)
  }

  /// Runs `publish`, and waits for what `durability` promises of all that it published.
  ///
  /// - Parameter numberings: by sender, of all that it publishes; nil when others may have
  ///   published it.
  func publish(
    _ lane: SharedMemoryLane, _ durability: Durability, _ mode: PublishWait,
    _ numberings: [String: SharedMemoryStream.Numbering]?,
    _ publish: () throws(PublishFailure) -> Int
  ) throws(PublishFailure) -> Int {
    do throws(BusError) { try checkMirror(lane) } catch { throw PublishFailure(error) }
    guard durability > .ring else { return try publish() }
    // What is promised takes its time.
    guard mode == .blocking else { return 0 }
    let evidence = numberings.map { MirrorEvidence(files, lane, topic, $0) }
    let subject = MirrorPromise.Subject(
      topic: topic, evidence: evidence, start: evidence?.start ?? lane.lastPosition &+ 1)
    let promise = MirrorPromise(lane.mirrorBoard, durability, options, directory, subject)
    let published = try lane.asking(durability, publish)
    guard published > 0 else { return 0 }
    do throws(BusError) {
      try promise.keep(lane.lastPosition, closing)
    } catch { throw PublishFailure(error, published: published) }
    return published
  }
}
