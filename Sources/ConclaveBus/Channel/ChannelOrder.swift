/// What the lock of a ``ChannelBus`` protects: the numbers of its streams and who subscribes to
/// what.
struct ChannelOrder {
  private struct Subscriber {
    let queue: ChannelQueue
    /// Not kept alive by the bus; told of its end, since it fetches ahead of its reader.
    weak var subscription: Subscription?
  }

  private struct StreamState {
    let stream: ChannelStream
    var seq: UInt64 = 0
    /// The names of the last message: most senders say one type of thing on a topic.
    var lastNames: ChannelNames
    /// The queues that receive this topic, as of `targetsVersion`.
    var targets: [ChannelQueue] = []
    var targetsVersion: UInt64 = 0
  }

  private struct StreamKey: Hashable {
    let topic: Topic
    let sender: String
  }

  private(set) var isClosed = false
  private let incarnation = ProcessIdentity.newIncarnation()
  private var position: UInt64 = 0
  private var streams: [StreamState] = []
  private var streamIndex: [StreamKey: Int] = [:]
  private var subscribers: [Subscriber] = []
  /// Changes with `subscribers`.
  private var version: UInt64 = 1
  private var keys: ChannelKeys

  init(_ keys: ChannelKeys) { self.keys = keys }

  // MARK: Streams

  mutating func names(topic: Topic, sender: String, type: String) -> ChannelNames {
    let key = StreamKey(topic: topic, sender: sender)
    guard let index = streamIndex[key] else { return newStream(key, type: type) }
    if streams[index].lastNames.type != type {
      streams[index].lastNames = ChannelNames(stream: streams[index].stream, type: type)
    }
    return streams[index].lastNames
  }

  private mutating func newStream(_ key: StreamKey, type: String) -> ChannelNames {
    let stream = ChannelStream(index: streams.count, topic: key.topic, sender: key.sender)
    let names = ChannelNames(stream: stream, type: type)
    streamIndex[key] = stream.index
    streams.append(StreamState(stream: stream, lastNames: names))
    return names
  }

  /// The queues that receive the messages of `stream`. O(1) unless subscriptions came or went.
  mutating func targets(of stream: ChannelStream) -> [ChannelQueue] {
    if streams[stream.index].targetsVersion != version {
      streams[stream.index].targets = subscribers.map(\.queue).filter {
        $0.prefix.matches(stream.topic)
      }
      streams[stream.index].targetsVersion = version
    }
    return streams[stream.index].targets
  }

  /// Whether a message was published before, by its key. Free for one without.
  mutating func isDuplicate(_ draft: ChannelCore.Draft) -> Bool {
    guard let key = draft.key else { return false }
    let name = ChannelKeys.Name(topic: draft.names.stream.topic, key: key)
    return keys.contains(name, now: .now)
  }

  /// Gives a message its id, its number and its place, and remembers its key.
  mutating func number(_ draft: ChannelCore.Draft, timestamp: Timestamp) -> ChannelPacket {
    let index = draft.names.stream.index
    streams[index].seq += 1
    defer { position += 1 }
    if let key = draft.key {
      keys.insert(ChannelKeys.Name(topic: draft.names.stream.topic, key: key), now: .now)
    }
    return ChannelPacket(
      names: draft.names,
      id: MessageID(process: ProcessIdentity.pid, counter: ProcessIdentity.nextIDs(1)),
      seq: streams[index].seq, timestamp: timestamp, incarnation: incarnation, position: position,
      payload: draft.payload, key: draft.key)
  }

  // MARK: Subscribers

  mutating func add(_ queue: ChannelQueue, of subscription: Subscription) {
    subscribers.append(Subscriber(queue: queue, subscription: subscription))
    version += 1
  }

  /// - Returns: what held it, for the caller to destroy without the lock.
  mutating func remove(_ queue: ChannelQueue) -> ChannelQueue? {
    guard let index = subscribers.firstIndex(where: { $0.queue === queue }) else { return nil }
    version += 1
    return subscribers.remove(at: index).queue
  }

  func subscriptions(to prefix: TopicPrefix) -> [Subscription] {
    subscribers.filter { $0.queue.prefix == prefix }.compactMap(\.subscription)
  }

  /// The subscribers stay listed: they may still be read, and be unsubscribed.
  ///
  /// - Returns: the queues that must be told.
  mutating func close() -> [ChannelQueue] {
    isClosed = true
    return subscribers.map(\.queue)
  }
}
