import Glibc
import SharedRing
import Synchronization

/// The durable bus: one JSON Lines file per topic in the bus directory, appended under an exclusive
/// `flock`, read by anybody who can read lines.
///
/// - Publishing is one lock and one write for a whole batch; a message is either wholly in the file
///   or not at all. It waits for nobody but other publishers of the topic.
/// - Subscriptions read the files at their own pace: nothing is dropped, whatever their policy
///   says.
/// - What a crash left half written was never published, and is cut off by the next publisher.
/// - The lock works between the processes of one host; a directory on a network file system must
///   not be shared between hosts.
///
/// Every method may be called from any thread. In the child of a fork everything fails with
/// `forked`.
public final class FileBus: MessageBus {
  let shared: FileBusShared
  private let appenders = Lock<[Topic: TopicAppender]>([:])
  private let subscriptions = Lock(SubscriptionList())
  /// Says by its lock that this object lives; given back when the bus is closed.
  private let presence: Lock<OwnedDescriptor?>

  /// - Throws: `notFound`, `permissionDenied`, `busy` while somebody cleans the directory,
  ///   `noSpace`, `exhausted`, `system`.
  public init(
    directory: BusDirectory, options: FileBusOptions = FileBusOptions()
  ) throws(BusError) {
    shared = try FileBusShared(directory, options)
    presence = Lock(try FilePresence.announce(in: shared.directory))
  }

  /// How many lines that a crashed publisher had left unfinished this object has cut off.
  public var tornTails: UInt64 { shared.tornTails.load(ordering: .relaxed) }

  /// Which opening of the bus this is: ``Envelope/incarnation`` of what it publishes.
  public var incarnation: UInt64 { shared.incarnation }

  public func publish(
    _ messages: [Message], to topic: Topic, wait: PublishWait
  ) throws(PublishFailure) -> Int {
    do throws(BusError) {
      try shared.checkOpen()
      try shared.permit.checkPublish(topic)
      for message in messages {
        try Message.checkName(message.type, role: "type")
        try Message.checkName(message.sender, role: "sender")
        try shared.checkSize(message.payload.bytes.count)
      }
    } catch { throw PublishFailure(error) }
    guard !messages.isEmpty else { return 0 }
    if messages.contains(where: { $0.idempotencyKey != nil }) {
      return try publishOnce(messages, to: topic, wait: wait)
    }
    let appender = appender(for: topic)
    return try appender.append(wait: wait) { (state) throws(BusError) in
      let first = ProcessIdentity.nextIDs(messages.count)
      for (index, message) in messages.enumerated() {
        try state.addLine(message, counter: first &+ UInt64(index), appender)
      }
    }
  }

  public func publisher(
    topic: Topic, sender: String, type: String
  ) throws(BusError) -> Publisher {
    try shared.checkOpen()
    try Message.checkName(type, role: "type")
    try Message.checkName(sender, role: "sender")
    try shared.permit.checkPublish(topic)
    let endpoint = FilePublisher(appender(for: topic), sender: sender, type: type)
    return Publisher(topic: topic, sender: sender, type: type, endpoint: endpoint)
  }

  /// Begins to receive what matches `prefix`. Keeps one descriptor open for each matching topic.
  ///
  /// - Throws: `closed`, `forked`; `notFound` when the message to start behind is in no file;
  ///   `exhausted`, `permissionDenied`, `system`.
  public func subscribe(
    to prefix: TopicPrefix, options: SubscriptionOptions
  ) throws(BusError) -> Subscription {
    try shared.checkOpen()
    try options.checkNeedsNoSegment()
    try shared.permit.checkSubscribe(prefix)
    let source = try FileSubscription(shared: shared, prefix: prefix, options: options)
    let subscription = Subscription(prefix: prefix, source: source)
    subscriptions.withLock { $0.add(subscription) }
    // Closed meanwhile: whoever closed may not have seen this one.
    if shared.closed.load(ordering: .sequentiallyConsistent) { source.close() }
    return subscription
  }

  public func unsubscribe(from prefix: TopicPrefix) {
    let ended = subscriptions.withLock { $0.remove(prefix) }
    for subscription in ended { subscription.cancel() }
  }

  public func close() {
    guard !shared.closed.exchange(true, ordering: .sequentiallyConsistent) else { return }
    let ended = subscriptions.withLock { $0.removeAll() }
    for subscription in ended { subscription.source.close() }
    // A failure is kept by the topic, and nobody will publish there any more.
    try? shared.syncer.flush()
    presence.withLock { held in
      // By itself the lock would last as long as a process that is being started while this one
      // closes: until its exec it has the descriptor, too.
      held?.unlock()
      held = nil
    }
  }

  /// Forces everything that this object published to the disk, whatever its policy. Blocks.
  ///
  /// - Throws: `system` when the disk reports an error, now or at any sync before.
  public func synchronize() throws(BusError) {
    try shared.mark.check()
    var first: BusError?
    for appender in appenders.withLock({ Array($0.values) }) {
      do throws(BusError) { try appender.synchronize() } catch { first = first ?? error }
    }
    if let first { throw first }
  }

  func appender(for topic: Topic) -> TopicAppender {
    appenders.withLock { appenders in
      if let known = appenders[topic] { return known }
      let appender = TopicAppender(topic: topic, shared: shared)
      appenders[topic] = appender
      return appender
    }
  }

}

extension TopicAppender.State {
  /// Streams whose names are kept rendered; more than a process has, unless names are made up
  /// endlessly.
  private static let keptTemplates = 1024

  mutating func addLine(
    _ message: Message, counter: UInt64, _ appender: TopicAppender
  ) throws(BusError) {
    let template = template(for: message, appender)
    let sender = index(of: message.sender)
    let failure = unsafe message.payload.bytes.withUnsafeBytes { bytes -> BusError? in
      do throws(BusError) {
        unsafe try addLine(
          template, sender: sender, counter: counter, payload: bytes,
          key: message.idempotencyKey?.text, options: appender.shared.options)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }

  private mutating func template(
    for message: Message, _ appender: TopicAppender
  ) -> EnvelopeTemplate {
    let name = TopicAppender.StreamName(sender: message.sender, type: message.type)
    if let known = templates[name] { return known }
    let template = EnvelopeTemplate(
      process: appender.shared.process, incarnation: appender.shared.incarnation,
      sender: message.sender, topic: appender.topic, type: message.type)
    if templates.count >= Self.keptTemplates { templates = [:] }
    templates[name] = template
    return template
  }
}
