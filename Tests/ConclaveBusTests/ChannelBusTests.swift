import BusTesting
import ConclaveBus
import Testing

/// Small worlds of one ``ChannelBus``, all of them.
@Suite struct ChannelBusTests {
  /// Every order of 8 steps (publish as one of two senders, or read one delivery) for capacities 1
  /// to 3: what is delivered, where the gaps are and how many there are is exactly what it must be.
  @Test(arguments: 1...3)
  func dropsExactly(capacity: Int) throws {
    var world = Exhaustive()
    while world.next() {
      var queue = try DroppingWorld(capacity: capacity)
      for _ in 0..<8 {
        switch world.choose(3) {
        case 2: try queue.readOne()
        case let sender: try queue.publish(as: sender)
        }
      }
      while try queue.readOne() {}
      try queue.checkEnd()
    }
    #expect(world.count == 6561)
  }

  /// Every order of 9 steps (publish, or read one of two subscriptions) for capacities 1 and 2: a
  /// message is accepted exactly when both have room, and both receive exactly the accepted ones.
  @Test(arguments: 1...2)
  func waitsExactly(capacity: Int) throws {
    var world = Exhaustive()
    while world.next() {
      let bus = ChannelBus()
      let publisher = try bus.publisher(topic: Topic("t"), sender: "s", type: "x")
      let options = SubscriptionOptions(policy: .backPressure(timeout: nil), capacity: capacity)
      let subscriptions = try (0..<2).map { _ in try bus.subscribe(options: options) }
      var received: [[UInt64]] = [[], []]
      var accepted: UInt64 = 0
      for _ in 0..<9 {
        switch world.choose(3) {
        case 2:
          let hasRoom = received.allSatisfy { Int(accepted) - $0.count < capacity }
          #expect(try publisher.tryPublish(RawJSON("1")) == hasRoom)
          if hasRoom { accepted += 1 }
        case let index:
          try subscriptions[index].drain(limit: 1) { view, _ in received[index].append(view.seq) }
        }
      }
      for (index, subscription) in subscriptions.enumerated() {
        try subscription.drain { view, _ in received[index].append(view.seq) }
        #expect(received[index] == (0..<accepted).map { $0 + 1 })
      }
    }
    #expect(world.count == 19683)
  }

  @Test func leastPatientSubscriptionDecides() async throws {
    let bus = ChannelBus()
    let never = SubscriptionOptions(policy: .backPressure(timeout: nil), capacity: 1)
    let soon = SubscriptionOptions(policy: .backPressure(timeout: .milliseconds(1)), capacity: 1)
    let patient = try bus.subscribe(options: never)
    let impatient = try bus.subscribe("im.patient", options: soon)
    let topic = try Topic("im.patient")
    let message = Message(type: "x", sender: "s", payload: try RawJSON("1"))
    try await bus.publish(message, to: topic)
    let error = await #expect(throws: BusError.self) { try await bus.publish(message, to: topic) }
    #expect(error?.code == .backPressureTimedOut)
    #expect(error?.message.contains("im.patient") == true)
    withExtendedLifetime((patient, impatient)) {}
  }

  @Test func closesWithItsLastReference() async throws {
    var bus: ChannelBus? = ChannelBus()
    var publisher = try bus?.publisher(topic: Topic("t"), sender: "s", type: "x")
    let subscription = try #require(try bus?.subscribe())
    bus = nil
    try await publisher?.publish(RawJSON("1"))
    #expect(try subscription.poll() != nil)
    #expect(try subscription.poll() == nil)
    #expect(!subscription.isEnded)
    publisher = nil
    #expect(try subscription.receive() == nil)
    #expect(subscription.isEnded)
  }

  @Test func sharesPayloadsAndNames() async throws {
    let bus = ChannelBus()
    let subscriptions = try (0..<2).map { _ in try bus.subscribe() }
    let payload = try Payloads.sized(100_000)
    try await bus.publish(Message(type: "x", sender: "s", payload: payload), to: Topic("t"))
    let address = unsafe payload.bytes.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    for subscription in subscriptions {
      guard case .envelope(let envelope) = try subscription.poll() else {
        Issue.record("no message")
        continue
      }
      let other = unsafe envelope.payload.bytes.withUnsafeBytes {
        UInt(bitPattern: $0.baseAddress)
      }
      #expect(other == address)
    }
  }

  /// A warning comes from the publishing thread, with no lock held: it may use the bus.
  @Test func warningMayUseTheBus() async throws {
    let bus = ChannelBus()
    let told = try bus.subscribe("told")
    let topic = try Topic("told")
    let message = Message(type: "x", sender: "s", payload: try RawJSON("1"))
    let options = SubscriptionOptions(capacity: 1) { warning in
      #expect(warning == .queueFull(capacity: 1))
      #expect((try? bus.publish([message], to: topic, wait: .never)) == 1)
      bus.unsubscribe(from: .all)
    }
    let full = try bus.subscribe(options: options)
    for _ in 0..<3 { try await bus.publish(message, to: Topic("other")) }
    #expect(full.isEnded)
    #expect(try told.poll() != nil)
  }

  @Test func capacityIsAtLeastOne() async throws {
    let bus = ChannelBus()
    let subscription = try bus.subscribe(options: SubscriptionOptions(capacity: -5))
    let publisher = try bus.publisher(topic: Topic("t"), sender: "s", type: "x")
    for _ in 0..<3 { try await publisher.publish(RawJSON("1")) }
    var seen: [String] = []
    try subscription.drain(onGap: { seen.append("gap \($0.seq)") }) { view, _ in
      seen.append("\(view.seq)")
    }
    #expect(seen == ["1", "gap 2...3"])
  }
}
