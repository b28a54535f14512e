import BusTesting
import Glibc
import SharedRing
import Testing

@testable import ConclaveBus

/// On shared memory, whatever is lost: for each stream what was delivered and what was reported as
/// missing are together what was sent, each number once.
@Suite struct RingLossTests {
  private struct World {
    let temporary: TemporaryDirectory
    let directory: BusDirectory
    let options: SharedMemoryOptions
    let bus: SharedMemoryBus

    init() throws {
      temporary = try TemporaryDirectory()
      directory = try BusDirectory(opening: temporary.path)
      options = SharedMemoryOptions(
        geometry: RingGeometry(
          slotCount: 64, laneCount: 4, laneBytes: 16_384, subscriptionCount: 8))
      bus = try SharedMemoryBus(directory: directory, options: options)
    }

    /// Removes the segment, though handles to it are still about.
    func clean() throws {
      bus.close()
      unsafe #expect(unlink(SharedMemoryBus.segmentPath(of: directory)) == 0)
    }
  }

  private struct Stream: Hashable {
    let sender: String
    let topic: String
  }

  /// The last number accounted for of each stream, every number exactly once and in order.
  private struct Account {
    var last: [Stream: UInt64] = [:]
    /// Streams need not begin with 1.
    var beginsAnywhere = false

    mutating func read(_ subscription: Subscription, limit: Int = .max) throws {
      var read = 0
      while read < limit, let delivery = try subscription.poll() {
        read += 1
        switch delivery {
        case .envelope(let envelope):
          advance(envelope.sender, envelope.topic, envelope.seq...envelope.seq)
        case .gap(let gap): advance(gap.sender, gap.topic, gap.seq)
        }
      }
    }

    private mutating func advance(_ sender: String, _ topic: Topic, _ seq: ClosedRange<UInt64>) {
      let stream = Stream(sender: sender, topic: topic.name)
      if !beginsAnywhere || last[stream] != nil {
        #expect(seq.lowerBound == last[stream, default: 0] + 1, "\(stream)")
      }
      last[stream] = seq.upperBound
    }
  }

  /// Random bursts and pauses of reading over several streams; then all fall silent.
  @Test(arguments: [nil, "a", "a.b"] as [String?])
  func everythingIsAccountedFor(_ prefix: String?) throws {
    for seed in 1...40 as ClosedRange<UInt64> {
      var random = SplitMix64(seed: seed)
      let world = try World()
      let subscription = try world.bus.subscribe(
        to: prefix.map { try TopicPrefix($0) } ?? .all, options: SubscriptionOptions())
      let streams = ["a", "a.b", "a.b.c", "b"].flatMap { topic in
        ["s1", "s2", "s3"].map { Stream(sender: $0, topic: topic) }
      }
      let publishers = try streams.map {
        try world.bus.publisher(topic: Topic($0.topic), sender: $0.sender, type: "x")
      }
      var sent: [Stream: UInt64] = [:]
      var account = Account()
      for _ in 0..<30 {
        let some = 1 + random.below(streams.count)
        for _ in 0..<random.below(150) {
          let index = random.below(some)
          try publishers[index].publish(Payloads.sized(1 + random.below(300)))
          sent[streams[index], default: 0] += 1
        }
        try account.read(subscription, limit: random.below(80))
      }
      try account.read(subscription)
      let wanted = sent.filter { stream, _ in
        guard let prefix else { return true }
        return stream.topic == prefix || stream.topic.hasPrefix(prefix + ".")
      }
      #expect(account.last == wanted, "seed \(seed)")
      subscription.cancel()
      try world.clean()
    }
  }

  /// More long topics than the lane's list has room for: those beyond are told of by their next
  /// message, but for what was lost before the subscription saw them first.
  @Test func streamsBeyondTheList() throws {
    let world = try World()
    let subscription = try world.bus.subscribe(to: .all, options: SubscriptionOptions())
    let publishers = try (0..<300).map { index in
      try world.bus.publisher(
        topic: Topic("t" + String(repeating: "x", count: 100) + "\(index)"), sender: "s", type: "x")
    }
    var account = Account(beginsAnywhere: true)
    for round in 0..<4 {
      for publisher in publishers { try publisher.publish(RawJSON("\(round)")) }
      if round == 1 { try account.read(subscription) }
    }
    // The last of each stream arrives, so that each stream's losses show.
    for chunk in stride(from: 0, to: 300, by: 30) {
      for publisher in publishers[chunk..<chunk + 30] { try publisher.publish(RawJSON("9")) }
      try account.read(subscription)
    }
    #expect(account.last.count == 300)
    #expect(account.last.values.allSatisfy { $0 == 5 })
    #expect(subscription.losses.damaged == 0)
    subscription.cancel()
    try world.clean()
  }

  /// Begun while others publish, and overrun at once: whatever it begins with, from there on all is
  /// told.
  @Test func begunAmidTraffic() async throws {
    let world = try World()
    let publishers = try ["s1", "s2"].map {
      try world.bus.publisher(topic: Topic("t"), sender: $0, type: "x")
    }
    let isOver = RingCancellation()
    let bus = world.bus
    try await withHangGuard {
      try await onThreads(3) { index in
        if index < 2 {
          while !isOver.isRaised { try publishers[index].publish(RawJSON("1")) }
          return
        }
        defer { isOver.raise() }
        for _ in 0..<200 {
          let subscription = try bus.subscribe(to: .all, options: SubscriptionOptions())
          var account = Account(beginsAnywhere: true)
          try account.read(subscription, limit: 50)
          subscription.cancel()
        }
      }
    }
    try world.clean()
  }

  /// Closing the bus ends a publish that waits in the middle of a large message.
  @Test func closingEndsALargeMessage() async throws {
    let world = try World()
    let other = try SharedMemoryBus(directory: world.directory, options: world.options)
    let subscription = try other.subscribe(
      to: .all, options: SubscriptionOptions(policy: .backPressure(timeout: nil)))
    let bus = world.bus
    let message = Message(type: "x", sender: "s", payload: try Payloads.sized(500_000))
    // Who must not wait does not begin what it cannot end.
    #expect(try bus.publish([message], to: Topic("t"), wait: .never) == 0)
    try await withHangGuard {
      try await onThreads(2) { index in
        if index == 1 {
          pauseThread(10)
          return bus.close()
        }
        #expect(throws: PublishFailure.self) {
          _ = try bus.publish([message], to: Topic("t"), wait: .blocking)
        }
      }
    }
    subscription.cancel()
    other.close()
    try world.clean()
  }
}
