/// A handle for the hot path: topic, sender and type are checked once, at
/// ``MessageBus/publisher(topic:sender:type:)``.
///
/// Safe from any thread; messages are numbered in the order in which the calls take effect.
public final class Publisher: Sendable {
  public let topic: Topic
  public let sender: String
  public let type: String
  private let endpoint: any PublisherEndpoint

  /// For transports.
  public init(topic: Topic, sender: String, type: String, endpoint: any PublisherEndpoint) {
    self.topic = topic
    self.sender = sender
    self.type = type
    self.endpoint = endpoint
  }

  /// Publishes one payload, blocking while a subscription with back pressure has no room.
  ///
  /// O(payload); no allocation on `SharedMemoryBus`.
  /// - Throws: `messageTooLarge`, `closed`, `forked`, `backPressureTimedOut`, `noSpace`, `system`.
  public func publish(_ payload: RawJSON) throws(BusError) {
    _ = try unsafe endpoint.publish(validated: payload.bytes.span.bytes, wait: .blocking)
  }

  /// Publishes one payload from bytes that the caller owns, after checking that they are JSON.
  ///
  /// - Throws: `invalidPayload`, and what publishing a ``RawJSON`` throws.
  public func publish(json bytes: RawSpan) throws(BusError) {
    try RawJSON.validate(bytes)
    _ = try endpoint.publish(validated: bytes, wait: .blocking)
  }

  /// Publishes one payload unless a subscription with back pressure has no room.
  ///
  /// - Returns: whether it was published.
  public func tryPublish(_ payload: RawJSON) throws(BusError) -> Bool {
    try unsafe endpoint.publish(validated: payload.bytes.span.bytes, wait: .never)
  }

  /// Publishes a batch next to each other: one lock, one wake-up, one write.
  ///
  /// - Returns: how many were published: all, or with ``PublishWait/never`` those that fitted.
  @discardableResult
  public func publish(
    batch payloads: [RawJSON], wait: PublishWait = .blocking
  ) throws(PublishFailure) -> Int {
    try endpoint.publish(validated: payloads, wait: wait)
  }

  /// Publishes one payload without ever blocking the calling thread.
  public func publish(_ payload: RawJSON) async throws(BusError) {
    if try tryPublish(payload) { return }
    let failure = await runBlocking { [self] () -> BusError? in
      do throws(BusError) {
        _ = try unsafe endpoint.publish(validated: payload.bytes.span.bytes, wait: .blocking)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }
}

/// What a transport implements for ``Publisher``. Payloads that arrive here are valid JSON.
public protocol PublisherEndpoint: AnyObject, Sendable {
  /// - Returns: whether it was published; false only with ``PublishWait/never``.
  func publish(validated payload: RawSpan, wait: PublishWait) throws(BusError) -> Bool

  /// - Returns: how many were published; fewer than all only with ``PublishWait/never``.
  func publish(validated payloads: [RawJSON], wait: PublishWait) throws(PublishFailure) -> Int
}
