import ConclaveBus
import Testing

/// One dropping subscription and what is known about it from outside: which messages it must have
/// kept.
struct DroppingWorld {
  private let capacity: Int
  private let publishers: [Publisher]
  private let subscription: Subscription
  /// For each message in the order of publishing: its sender, its number, and whether there was
  /// room.
  private var published: [(sender: String, seq: UInt64, isKept: Bool)] = []
  private var seq: [UInt64] = [0, 0]
  private var held = 0
  /// For each delivery, the messages that it stands for, as places in `published`.
  private var delivered: [[Int]] = []
  private var gaps: UInt64 = 0

  init(capacity: Int) throws {
    let bus = ChannelBus()
    self.capacity = capacity
    publishers = try (0..<2).map {
      try bus.publisher(topic: Topic("t"), sender: "s\($0)", type: "x")
    }
    subscription = try bus.subscribe(options: SubscriptionOptions(capacity: capacity))
  }

  mutating func publish(as sender: Int) throws {
    #expect(try publishers[sender].tryPublish(RawJSON("1")))
    seq[sender] += 1
    let isKept = held < capacity
    if isKept { held += 1 }
    published.append(("s\(sender)", seq[sender], isKept))
  }

  /// - Returns: whether there was something to read.
  @discardableResult
  mutating func readOne() throws -> Bool {
    var places: [Int] = []
    let published = published
    let find = { (sender: String, seq: UInt64) in
      published.firstIndex { $0.sender == sender && $0.seq == seq }
    }
    var isGap = false
    let count = try subscription.drain(
      limit: 1,
      onGap: { gap in
        isGap = true
        #expect(gap.reason == .dropped)
        places = gap.seq.compactMap { find(gap.sender, $0) }
        #expect(places.count == Int(gap.count))
      },
      onMessage: { view, _ in places = [find(view.sender, view.seq)].compactMap { $0 } })
    guard count == 1 else { return false }
    #expect(places.allSatisfy { published[$0].isKept != isGap })
    if isGap { gaps += 1 } else { held -= 1 }
    delivered.append(places)
    return true
  }

  func checkEnd() throws {
    // Each message once, and each delivery behind all kept messages that were published before it.
    #expect(delivered.flatMap { $0 }.sorted() == Array(published.indices))
    var lastKept = -1
    for places in delivered {
      guard let first = places.first, let last = places.last else { continue }
      if published[first].isKept { lastKept = first }
      let keptBefore = published.indices.last { $0 <= first && published[$0].isKept } ?? -1
      let keptWithin = published.indices.filter { $0 > first && $0 < last && published[$0].isKept }
      #expect(lastKept == keptBefore)
      #expect(keptWithin.isEmpty)
    }
    let lost = published.filter { !$0.isKept }.count
    #expect(subscription.losses.lostMessages == UInt64(lost))
    #expect(subscription.losses.gaps == gaps)
    #expect((subscription.losses.episodes > 0) == (lost > 0))
    #expect(try subscription.poll() == nil)
  }
}
