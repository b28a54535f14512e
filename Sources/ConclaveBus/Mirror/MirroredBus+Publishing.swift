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
    let isKeyed = messages.contains { $0.idempotencyKey != nil }
    var numberings: [String: SharedMemoryStream.Numbering]?
    do throws(BusError) {
      try shared.permit.checkPublish(topic)
      lane = try shared.openLane()
      if durability > .ring, !isKeyed {
        numberings = try self.numberings(of: messages, topic, lane)
      }
    } catch { throw PublishFailure(error) }
    return try MirroredWait(self, topic).publish(lane, durability, wait, numberings) {
      () throws(PublishFailure) in
      // One that comes again was published by somebody before.
      isKeyed
        ? try publishOnce(messages, to: topic, wait: wait)
        : try shared.publish(messages, to: topic, wait: wait)
    }
  }

  private func numberings(
    of messages: [Message], _ topic: Topic, _ lane: SharedMemoryLane
  ) throws(BusError) -> [String: SharedMemoryStream.Numbering] {
    var numberings: [String: SharedMemoryStream.Numbering] = [:]
    for message in messages where numberings[message.sender] == nil {
      try Message.checkName(message.sender, role: "sender")
      try Message.checkName(message.type, role: "type")
      numberings[message.sender] =
        lane.stream(
          topic: topic, sender: message.sender, type: message.type,
          mayBeGivenUp: shared.mayBeGivenUp
        ).numbering
    }
    return numberings
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
        endpoint, try shared.openLane(), durability, MirroredWait(self, topic), sender: sender))
  }
}
