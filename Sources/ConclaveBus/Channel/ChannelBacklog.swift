/// What one ``ChannelBus`` subscription has not read yet: messages, and between them exactly which
/// ones it had no room for. A plain value without locks, so that small worlds of it can be
/// exhausted.
///
/// Memory: at most `capacity` messages, and for each of them (and behind the last) at most one gap
/// per stream of the bus.
struct ChannelBacklog {
  enum Item {
    case message(ChannelPacket)
    case gap(ChannelGap)
  }

  private struct Slot {
    /// What was dropped between the message before and this one; the oldest last.
    var gaps: [ChannelGap]
    let packet: ChannelPacket
  }

  let capacity: Int
  private(set) var losses = SubscriptionLosses()
  private var slots = RingQueue<Slot>()
  /// What was dropped behind the last message: still growing.
  private var tail: [ChannelGap] = []
  private var tailIndex: [Int: Int] = [:]
  /// What is missing before the first message, when all of it that was dropped earlier is read; the
  /// oldest last.
  private var due: [ChannelGap] = []
  /// An episode lasts from the first drop until the reader has caught up.
  private var inEpisode = false

  init(capacity: Int) { self.capacity = capacity }

  var isEmpty: Bool { slots.isEmpty && tail.isEmpty && due.isEmpty }
  var isFull: Bool { slots.count >= capacity }

  /// Keeps `packet`, or where there is no room, the fact that it is missing.
  ///
  /// - Returns: whether this is the first loss of an episode.
  mutating func appendOrDrop(_ packet: ChannelPacket) -> Bool {
    if isFull { return drop(packet) }
    slots.append(Slot(gaps: sealTail(), packet: packet))
    return false
  }

  mutating func next() -> Item? {
    // What is missing behind the last message is told without waiting for another.
    if due.isEmpty, slots.isEmpty { due = sealTail() }
    defer { if isEmpty { inEpisode = false } }
    if let gap = due.popLast() ?? slots.updateFirst({ $0.gaps.popLast() }) ?? nil {
      losses.noteGap(of: gap.count)
      return .gap(gap)
    }
    return slots.popFirst().map { .message($0.packet) }
  }

  /// Empties it, for good; the losses stay.
  ///
  /// - Returns: what it held, for the caller to destroy where that may take time.
  mutating func removeAll() -> ChannelBacklog {
    let before = self
    self = ChannelBacklog(capacity: capacity)
    losses = before.losses
    return before
  }

  private mutating func drop(_ packet: ChannelPacket) -> Bool {
    let stream = packet.names.stream.index
    if let index = tailIndex[stream] {
      // Nothing of this stream was kept in between, so its numbers follow on each other.
      tail[index].last = packet.seq
    } else {
      tailIndex[stream] = tail.count
      tail.append(ChannelGap(packet))
    }
    guard !inEpisode else { return false }
    inEpisode = true
    losses.episodes += 1
    return true
  }

  /// Oldest last.
  private mutating func sealTail() -> [ChannelGap] {
    guard !tail.isEmpty else { return [] }
    defer {
      tail = []
      tailIndex = [:]
    }
    return tail.reversed()
  }
}
