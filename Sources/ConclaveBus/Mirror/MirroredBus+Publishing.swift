import SharedRing

extension MirroredBus {
  /// As `publish(_:to:wait:)`, with what must be true of all messages before it returns.
  ///
  /// With more than ``Durability/ring`` it has to block: with ``PublishWait/never`` it publishes
  /// nothing then.
  /// - Throws: also `notDurable`: they are on the bus, but perhaps not in the files or on the disk.
  public func publish(
    _ messages: [Message], to topic: Topic, wait: PublishWait, durability: Durability
  ) throws(PublishFailure) -> Int {
    let lane: SharedMemoryLane
    do throws(BusError) { lane = try shared.openLane() } catch { throw PublishFailure(error) }
    return try lane.publishKeeping(durability, options, directory, shared.closing, wait: wait) {
      () throws(PublishFailure) in
      if messages.contains(where: { $0.idempotencyKey != nil }) {
        return try publishOnce(messages, to: topic, wait: wait)
      }
      return try shared.publish(messages, to: topic, wait: wait)
    }
  }

  /// As `publish(_:to:)`, with what must be true of the message before it returns. Blocks.
  public func publish(
    _ message: Message, to topic: Topic, durability: Durability
  ) throws(BusError) {
    do throws(PublishFailure) {
      _ = try publish([message], to: topic, wait: .blocking, durability: durability)
    } catch { throw error.cause }
  }

  /// As `publisher(topic:sender:type:)`, with what must be true of each message before its publish
  /// returns. With ``Durability/ring`` it is as fast as that of ``SharedMemoryBus``.
  public func publisher(
    topic: Topic, sender: String, type: String, durability: Durability
  ) throws(BusError) -> Publisher {
    if durability == .ring, options.whenFailing != .fail {
      return try shared.publisher(topic: topic, sender: sender, type: type)
    }
    let endpoint = try shared.endpoint(topic: topic, sender: sender, type: type)
    return Publisher(
      topic: topic, sender: sender, type: type,
      endpoint: MirroredPublisher(
        endpoint, try shared.openLane(), shared.closing, durability, options, directory))
  }
}
