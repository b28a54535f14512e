import SharedRing

/// The streams that this process publishes in one lane, by name.
struct StreamRegistry: ~Copyable, Sendable {
  private struct Name: Hashable {
    let key: [UInt8]
    let type: String
    let mayBeGivenUp: Bool
  }

  private var list: RingStreamList
  private var numberings: [[UInt8]: SharedMemoryStream.Numbering] = [:]
  private var streams: [Name: SharedMemoryStream] = [:]
  /// Once a stream is not listed none after it is, so that a listed stream's number is its place in
  /// the list.
  private var listIsFull = false

  init(list: consuming RingStreamList) { self.list = list }

  /// The stream for these names. Streams with the same topic and sender share one numbering.
  ///
  /// - Parameter mayBeGivenUp: whether the mirror may give its messages up.
  mutating func stream(
    topic: Topic, sender: String, type: String, mayBeGivenUp: Bool
  ) -> SharedMemoryStream {
    let name = Name(
      key: StreamKey.bytes(topic: topic, sender: sender), type: type, mayBeGivenUp: mayBeGivenUp)
    if let known = streams[name] { return known }
    let stream = SharedMemoryStream(
      numbering: numbering(name.key), topic: topic, sender: sender, type: type,
      process: ProcessIdentity.pid, mayBeGivenUp: mayBeGivenUp)
    streams[name] = stream
    return stream
  }

  /// A stream for one message with an idempotency key, in the same numbering as those without.
  mutating func stream(
    topic: Topic, sender: String, type: String, key: IdempotencyKey, mayBeGivenUp: Bool
  ) -> SharedMemoryStream {
    SharedMemoryStream(
      numbering: numbering(StreamKey.bytes(topic: topic, sender: sender)), topic: topic,
      sender: sender, type: type, process: ProcessIdentity.pid, key: key,
      mayBeGivenUp: mayBeGivenUp)
  }

  private mutating func numbering(_ key: [UInt8]) -> SharedMemoryStream.Numbering {
    if let known = numberings[key] { return known }
    let number = UInt16(min(numberings.count, Int(RecordHead.unnumbered)))
    let listing =
      listIsFull || number == RecordHead.unnumbered ? .unlisted : list.add(key: key)
    listIsFull = !listing.isListed
    let added = SharedMemoryStream.Numbering(number: number, listing: listing)
    numberings[key] = added
    return added
  }
}
