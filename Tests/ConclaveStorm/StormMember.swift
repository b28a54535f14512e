import BusTesting
import ConclaveBus
import Glibc

/// A member of a durable group, until it is killed or asked to end. It notes what it received, what
/// it is about to acknowledge, and, only after `acknowledge` returned, what is acknowledged.
struct StormMember {
  static let word = "storm-member"
  static let group = "storm-group"

  private let life: String
  private let record: RecordFile
  private let subscription: DurableSubscription
  private var random: SplitMix64
  private var hand: [DurableDelivery] = []

  /// Words: the bus directory, the group's file, the life's number, the seed.
  static func main(_ words: [String]) -> Int32 {
    guard words.count == 4, let seed = UInt64(words[3]) else { return 2 }
    Farewell.listen()
    do {
      let bus = try StormBus.open(words[0], isCandidate: seed % 4 == 0)
      defer { bus.close() }
      var member = try StormMember(bus, file: words[1], life: words[2], seed: seed)
      try member.work()
      return 0
    } catch {
      Report.fault("member \(words[2]): \(error)")
      return 70
    }
  }

  private init(_ bus: MirroredBus, file: String, life: String, seed: UInt64) throws {
    random = SplitMix64(seed: seed)
    self.life = life
    record = RecordFile(file)
    let options = DurableOptions(prefetch: [1, 8, 64][Int(random.next() % 3)])
    subscription = try StormMember.subscribe(bus, options)
  }

  /// Joins the group, whose messages come again for ever.
  static func subscribe(
    _ bus: MirroredBus, _ options: DurableOptions = DurableOptions()
  ) throws -> DurableSubscription {
    var options = options
    options.start = .beginning
    options.retryLimit = .max
    return try bus.subscribe(durable: group, options: options)
  }

  private mutating func work() throws {
    defer { subscription.close() }
    while !Farewell.isDue {
      guard let first = try subscription.receive(timeout: .milliseconds(20)) else { continue }
      hand = [first]
      let wanted = 1 + random.next() % 16
      while hand.count < wanted, let next = try subscription.poll() { hand.append(next) }
      let places = try hand.map { try place(of: $0) }
      note("had", places)
      if random.next() % 64 == 0 { usleep(UInt32(random.next() % 3000)) }
      try finish(places)
    }
  }

  /// Acknowledges all in one go, or one by one; gives one back at times.
  private mutating func finish(_ places: [UInt64]) throws {
    guard let last = hand.last, random.next() % 2 == 0 else {
      for (delivery, place) in zip(hand, places) {
        if random.next() % 64 == 0 {
          try subscription.reject(delivery, reason: "a storm")
          continue
        }
        note("will", [place])
        try subscription.acknowledge(delivery)
        note("did", [place])
      }
      return
    }
    note("will", places)
    let count = try subscription.acknowledge(upTo: last)
    if count != hand.count {
      Report.fault("member \(life): acknowledged \(count) of \(hand.count)")
    }
    note("did", places)
  }

  private func place(of delivery: DurableDelivery) throws -> UInt64 {
    if let gap = delivery.gaps.first { Report.fault("member \(life): a gap: \(gap)") }
    if StormCheck.number(delivery.envelope.payload) == nil {
      Report.fault("member \(life): \(delivery.envelope.id) is not as it was sent")
    }
    return delivery.envelope.position ?? 0
  }

  private func note(_ what: String, _ places: [UInt64]) {
    record.append("\(what) \(life) \(places.map(String.init).joined(separator: " "))")
  }
}
