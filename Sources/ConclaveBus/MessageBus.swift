/// A bus: any number of publishers and subscribers, each message delivered to every subscription
/// whose prefix matches its topic.
///
/// All transports keep the same rules, and one conformance suite (`BusTesting`) checks them:
/// `ChannelBus` within a process, `FileBus` durable between processes, `SharedMemoryBus` fast
/// between processes. Every method may be called from any thread at any time.
public protocol MessageBus: AnyObject, Sendable {
  /// Publishes `messages` on `topic`, in order and next to each other in each sender's numbering.
  ///
  /// With ``PublishWait/blocking`` it blocks the calling thread while a subscription with back
  /// pressure has no room, so never call it like that on a cooperative thread; the `async`
  /// overloads of `publish(_:to:)` exist for that.
  ///
  /// A message whose idempotency key was used on `topic` before, within the transport's window, is
  /// not published again and counts as published: see ``IdempotencyKey``.
  ///
  /// - Returns: how many were published: all of them, or with ``PublishWait/never`` those that
  ///   fitted.
  /// - Throws: before anything is published: `invalidName`, `messageTooLarge`, `closed`, `forked`,
  ///   `unsupported` for a key on a transport that remembers none; otherwise ``PublishFailure``
  ///   which says how many were published before.
  func publish(_ messages: [Message], to topic: Topic, wait: PublishWait) throws(PublishFailure)
    -> Int

  /// A handle with topic, sender and type fixed once: the fast way to publish many messages.
  ///
  /// - Throws: `invalidName`, `closed`.
  func publisher(topic: Topic, sender: String, type: String) throws(BusError) -> Publisher

  /// Begins to receive what matches `prefix`; see ``Subscription``.
  func subscribe(to prefix: TopicPrefix, options: SubscriptionOptions) throws(BusError)
    -> Subscription

  /// Ends this object's subscriptions to exactly `prefix`, at once: nothing more is delivered.
  func unsubscribe(from prefix: TopicPrefix)

  /// Ends every subscription of this object after what they hold already; publishing is an error
  /// from here on. Idempotent.
  func close()
}

/// What a publish does when a subscription with back pressure has no room.
public enum PublishWait: Sendable {
  /// Blocks the calling thread, at most for that subscription's time-out.
  case blocking
  /// Publishes nothing more and returns.
  case never
}

/// A publish that stopped: the first `published` messages of the batch are on the bus, the others
/// are not.
public struct PublishFailure: Error, Hashable, Sendable {
  public let published: Int
  public let cause: BusError

  public init(_ cause: BusError, published: Int = 0) {
    self.cause = cause
    self.published = published
  }
}

extension PublishFailure: CustomStringConvertible {
  public var description: String {
    published == 0 ? cause.description : "\(cause) (\(published) of the batch were published)"
  }
}

extension MessageBus {
  /// Publishes one message; may block as described at ``publish(_:to:wait:)``.
  public func publish(_ message: Message, to topic: Topic) throws(BusError) {
    do throws(PublishFailure) {
      _ = try publish([message], to: topic, wait: .blocking)
    } catch { throw error.cause }
  }

  /// Publishes one message without ever blocking the calling thread.
  public func publish(_ message: Message, to topic: Topic) async throws(BusError) {
    do throws(PublishFailure) {
      try await publish([message], to: topic)
    } catch { throw error.cause }
  }

  /// Publishes a batch without ever blocking the calling thread.
  public func publish(_ messages: [Message], to topic: Topic) async throws(PublishFailure) {
    let published = try publish(messages, to: topic, wait: .never)
    guard published < messages.count else { return }
    let rest = Array(messages[published...])
    let result = await runBlocking { [self] () -> PublishFailure? in
      do throws(PublishFailure) {
        _ = try publish(rest, to: topic, wait: .blocking)
        return nil
      } catch { return error }
    }
    if let result {
      throw PublishFailure(result.cause, published: published + result.published)
    }
  }

  /// `subscribe(to:options:)` with a prefix as it is written.
  public func subscribe(
    _ prefix: String = "", options: SubscriptionOptions = SubscriptionOptions()
  ) throws(BusError) -> Subscription {
    try subscribe(to: TopicPrefix(prefix), options: options)
  }
}
