import BusTesting
import Glibc
import SharedRing
import Testing

@testable import ConclaveBus

/// What a subscription has delivered so far.
private struct Heard {
  var ids: [MessageID] = []
  var gaps: [Gap] = []

  /// Reads until there are `count` messages, or nothing comes for a while.
  mutating func read(_ subscription: Subscription, until count: Int) throws {
    while ids.count < count {
      guard let delivery = try subscription.receive(timeout: hangLimit) else { return }
      switch delivery {
      case .envelope(let envelope): ids.append(envelope.id)
      case .gap(let gap): gaps.append(gap)
      }
    }
  }
}

@Suite struct MirroredBusTests {
  private func payload(_ number: Int) throws -> RawJSON { try RawJSON("{\"n\":\(number)}") }

  /// All lines of some topics' files, in the order of their places.
  private func log(_ fixture: MirroredFixture, _ topics: [String]) throws -> [Envelope] {
    let files = try topics.map { try Disk.envelopes(fixture.file($0)) }
    for file in files {
      let places = file.compactMap(\.position)
      #expect(places.count == file.count && zip(places, places.dropFirst()).allSatisfy { $0 < $1 })
    }
    return files.flatMap { $0 }.sorted { $0.position ?? 0 < $1.position ?? 0 }
  }

  @Test func everythingIsInTheFilesInTheRingsOrder() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    #expect(bus.isMirror)
    let live = try bus.subscribe("")
    var sent: [MessageID] = []
    for number in 0..<300 {
      let topic = try Topic(["a", "b.c", "d"][number % 3])
      let message = Message(type: "x", sender: "s\(number % 2)", payload: try payload(number))
      try bus.publish(message, to: topic, durability: number % 7 == 0 ? .mirrored : .ring)
    }
    var heard: [Envelope] = []
    while heard.count < 300, case .envelope(let envelope)? = try live.receive(timeout: hangLimit) {
      heard.append(envelope)
    }
    sent = heard.map(\.id)
    bus.close()
    let lines = try log(fixture, ["a", "b.c", "d"])
    #expect(lines.map(\.id) == sent && sent.count == 300)
    #expect(lines == heard)
  }

  @Test(arguments: [Durability.mirrored, .synced])
  func whatWasPromisedIsInTheFile(_ durability: Durability) throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let publisher = try bus.publisher(
      topic: Topic("t"), sender: "s", type: "x", durability: durability)
    for number in 1...50 {
      try publisher.publish(payload(number))
      #expect(try Disk.envelopes(fixture.file("t")).count == number)
    }
    #expect(try publisher.publish(batch: (51...60).map(payload)) == 10)
    #expect(try Disk.envelopes(fixture.file("t")).map(\.seq) == Array(1...60))
  }

  @Test func placesGoOnAfterTheSegmentIsGone() throws {
    let fixture = try MirroredFixture()
    for round in 0..<3 {
      let bus = try fixture.bus()
      for number in 0..<10 {
        try bus.publish(
          Message(type: "x", sender: "s", payload: payload(number)), to: Topic("t"))
      }
      bus.close()
      let places = try log(fixture, ["t"]).map(\.position)
      #expect(places == (0..<UInt64(10 * round + 10)).map { $0 })
      #expect(try SharedMemoryBus.clean(fixture.directory))
    }
  }

  /// What was published while nobody mirrored, by who knows nothing of mirrors.
  @Test func takesUpWhatTheRingHas() throws {
    let fixture = try MirroredFixture()
    let first = try fixture.bus()
    try first.publish(Message(type: "x", sender: "s", payload: payload(0)), to: Topic("t"))
    first.close()
    let plain = try SharedMemoryBus(directory: fixture.directory)
    let publisher = try plain.publisher(topic: Topic("t"), sender: "plain", type: "x")
    for number in 1...20 { try publisher.publish(payload(number)) }
    try publisher.publish(RawJSON.text(String(repeating: "large ", count: 20_000)))
    #expect(try Disk.envelopes(fixture.file("t")).count == 1)
    let second = try fixture.bus()
    try second.publish(
      Message(type: "x", sender: "s", payload: payload(99)), to: Topic("t"), durability: .mirrored)
    let lines = try log(fixture, ["t"])
    #expect(lines.map(\.sender) == ["s"] + Array(repeating: "plain", count: 21) + ["s"])
    #expect(lines.dropFirst().dropLast().map(\.seq) == Array(1...21))
  }

  @Test func anOverrunSubscriptionIsHealed() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let slow = try bus.subscribe("t")
    let publishers = try (0..<3).map {
      try bus.publisher(topic: Topic("t.\($0)"), sender: "s\($0)", type: "x")
    }
    var heard = Heard()
    for round in 0..<3 {
      for number in 0..<5000 { try publishers[number % 3].publish(payload(number)) }
      try heard.read(slow, until: 5000 * (round + 1))
      #expect(heard.gaps.isEmpty && heard.ids.count == 5000 * (round + 1))
    }
    bus.close()
    #expect(heard.ids == (try log(fixture, ["t.0", "t.1", "t.2"])).map(\.id))
    #expect(slow.losses == SubscriptionLosses())
  }

  @Test(arguments: [
    SubscriptionOptions.Policy.dropping, .backPressure(timeout: nil),
  ]) func replaysAndGoesOn(_ policy: SubscriptionOptions.Policy) async throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    try await withHangGuard {
      try await onThreads(4) { index in
        let publisher = try bus.publisher(topic: Topic("t"), sender: "s\(index)", type: "x")
        if index > 0 {
          for number in 0..<5000 { try publisher.publish(payload(number)) }
          return
        }
        for _ in 0..<4 {
          let late = try bus.subscribe(
            "t", options: SubscriptionOptions(policy: policy, start: .beginning))
          var heard = Heard()
          try heard.read(late, until: 15_000)
          #expect(heard.gaps.isEmpty && Set(heard.ids).count == 15_000)
          late.cancel()
        }
      }
    }
    let late = try bus.subscribe("t", options: SubscriptionOptions(start: .beginning))
    var heard = Heard()
    try heard.read(late, until: 15_000)
    bus.close()
    #expect(heard.ids == (try log(fixture, ["t"])).map(\.id))
  }

  /// Messages of several records, some of which lie on both sides of the place where a subscription
  /// goes over from the files to the ring.
  @Test(arguments: [
    SubscriptionOptions.Policy.dropping, .backPressure(timeout: nil),
  ]) func replaysLargeMessages(_ policy: SubscriptionOptions.Policy) async throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let large = RawJSON.text(String(repeating: "large ", count: 40_000))
    try await withHangGuard {
      try await onThreads(2) { index in
        if index == 0 {
          let publisher = try bus.publisher(topic: Topic("t"), sender: "s", type: "x")
          for _ in 0..<150 { try publisher.publish(large) }
          return
        }
        for _ in 0..<8 {
          let late = try bus.subscribe(
            "t", options: SubscriptionOptions(policy: policy, start: .beginning))
          var heard = Heard()
          try heard.read(late, until: 150)
          #expect(heard.gaps.isEmpty && Set(heard.ids).count == 150)
          late.cancel()
        }
      }
    }
  }

  @Test func beginsBehindAnIdAndSinceATime() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    for number in 0..<3000 {
      try bus.publish(
        Message(type: "x", sender: "s", payload: payload(number)),
        to: Topic(["a", "b", "c.d"][number % 3]), durability: number == 2999 ? .mirrored : .ring)
    }
    let all = try log(fixture, ["a", "b", "c.d"])
    for place in [0, 1, 1499, 2998, 2999] {
      for start in [
        SubscriptionOptions.Start.after(all[place].id),
        .since(Timestamp(nanosecondsSinceEpoch: all[place].timestamp.nanosecondsSinceEpoch + 1)),
      ] {
        let late = try bus.subscribe("", options: SubscriptionOptions(start: start))
        var heard = Heard()
        try heard.read(late, until: 2999 - place)
        #expect(heard.ids == all[(place + 1)...].map(\.id), "\(start)")
        #expect(try late.poll() == nil)
      }
    }
    let other = try bus.subscribe("c", options: SubscriptionOptions(start: .after(all[1000].id)))
    var heard = Heard()
    let expected = all[1001...].filter { $0.topic.name == "c.d" }
    try heard.read(other, until: expected.count)
    #expect(heard.ids == expected.map(\.id))
    #expect(throws: BusError.self) {
      try bus.subscribe(
        "", options: SubscriptionOptions(start: .after(MessageID(process: 1, counter: 1))))
    }
  }

  @Test func largeMessagesAreMirroredAndHealed() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let slow = try bus.subscribe("t")
    let publisher = try bus.publisher(
      topic: Topic("t"), sender: "s", type: "x", durability: .mirrored)
    for number in 0..<12 {
      try publisher.publish(
        RawJSON.text(String(repeating: "\(number)", count: number * 150_000 + 1)))
    }
    var heard = Heard()
    try heard.read(slow, until: 12)
    #expect(heard.gaps.isEmpty)
    #expect(heard.ids == (try log(fixture, ["t"])).map(\.id) && heard.ids.count == 12)
  }

  /// A mirror that could not write has died, and left its trouble on the board.
  @Test func aSuccessorBeginsWithoutTrouble() throws {
    let fixture = try MirroredFixture()
    let other = try fixture.bus { $0.isCandidate = false }
    try other.shared.openLane().mirrorBoard.setTrouble(
      RingTrouble(code: BusError.Code.noSpace.number, subject: 0))
    let bus = try fixture.bus { $0.whenFailing = .fail }
    try bus.publish(
      Message(type: "x", sender: "s", payload: payload(1)), to: Topic("t"), durability: .mirrored)
    #expect(try log(fixture, ["t"]).count == 1)
  }
}
