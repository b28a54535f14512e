import BusTesting
import Glibc
import Testing

@testable import ConclaveBus

/// Subscriptions that begin at what the ring has and the files have not.
@Suite(.blocking) struct MirrorBehindTests {
  /// Messages 0 to 4 are in the files, 5 to 9 in the ring alone.
  private struct World {
    let fixture: MirroredFixture
    let bus: MirroredBus
    let envelopes: [Envelope]

    /// - Parameter isMirrored: whether there is a mirror, which cannot write the topic `t.held`.
    init(isMirrored: Bool) throws {
      fixture = try MirroredFixture()
      let mirror = try fixture.bus()
      bus = isMirrored ? mirror : try fixture.bus { $0.isCandidate = false }
      let all = try bus.subscribe("t")
      try mirror.say(0..<5, on: "t.free")
      if isMirrored {
        #expect(unsafe mkfifo(fixture.file("t.held"), 0o600) == 0)
      } else {
        mirror.close()
      }
      for number in 5..<10 {
        try bus.publish(
          Message(type: "n", sender: "s", payload: RawJSON("\(number)")), to: Topic("t.held"))
      }
      envelopes = try (0..<10).map { _ in try #require(all.take(1).first?.envelope) }
    }

    func values(_ start: SubscriptionOptions.Start, _ count: Int) throws -> [Int] {
      let subscription = try bus.subscribe("t", options: SubscriptionOptions(start: start))
      defer { subscription.cancel() }
      return try (0..<count).map { _ in
        try Int(#require(subscription.take(1).first?.envelope).payload.description)
          ?? -1
      }
    }

    func durableValues(
      _ name: String, _ start: SubscriptionOptions.Start, _ count: Int
    ) throws -> [Int] {
      let member = try bus.subscribe(
        durable: name, to: "t", options: DurableOptions(start: start))
      defer { member.close() }
      return try member.take(count, patience: .seconds(10)).map(\.value)
    }
  }

  @Test(arguments: [true, false])
  func aNameBeginsAtItsTime(_ isMirrored: Bool) throws {
    let world = try World(isMirrored: isMirrored)
    for (name, first) in [("a", 7), ("b", 3)] {
      let start = SubscriptionOptions.Start.since(world.envelopes[first].timestamp)
      #expect(try world.durableValues(name, start, 10 - first) == Array(first..<10))
    }
    defer { withExtendedLifetime(world) {} }
    let late = try world.bus.subscribe(
      durable: "c", to: "t",
      options: DurableOptions(
        start: .since(
          Timestamp(
            nanosecondsSinceEpoch: Timestamp.now().nanosecondsSinceEpoch + 3_600_000_000_000))))
    #expect(try late.poll() == nil)
  }

  @Test(arguments: [true, false])
  func itBeginsBehindWhatOnlyTheRingHas(_ isMirrored: Bool) throws {
    let world = try World(isMirrored: isMirrored)
    for first in [3, 7] {
      let start = SubscriptionOptions.Start.after(world.envelopes[first - 1].id)
      #expect(try world.values(start, 10 - first) == Array(first..<10))
      #expect(try world.durableValues("n\(first)", start, 10 - first) == Array(first..<10))
    }
    let unknown = SubscriptionOptions.Start.after(MessageID(process: 1, counter: 1))
    let error = #expect(throws: BusError.self) { try world.values(unknown, 1) }
    #expect(error?.code == .notFound)
  }

  /// What the ring has is at hand at once, though the mirror does not go on.
  @Test(arguments: [true, false])
  func nothingIsWaitedFor(_ isMirrored: Bool) throws {
    let world = try World(isMirrored: isMirrored)
    func polled(_ start: SubscriptionOptions.Start) throws -> [String] {
      let subscription = try world.bus.subscribe("t", options: SubscriptionOptions(start: start))
      defer { subscription.cancel() }
      var all: [String] = []
      while let delivery = try subscription.poll() {
        all.append(delivery.envelope?.payload.description ?? "\(delivery)")
      }
      return all
    }
    let all = (0..<10).map { "\($0)" }
    #expect(try polled(.beginning) == all)
    for first in [3, 7] {
      #expect(try polled(.since(world.envelopes[first].timestamp)) == Array(all[first...]))
      #expect(try polled(.after(world.envelopes[first - 1].id)) == Array(all[first...]))
    }
    let member = try world.bus.subscribe(
      durable: "d", to: "t", options: DurableOptions(start: .beginning))
    defer { member.close() }
    for expected in all { #expect(try member.poll()?.envelope.payload.description == expected) }
  }

  /// Nobody has ever mirrored it: there is nothing but the ring.
  @Test func itBeginsBehindWhatTheRingHasWithoutAMirror() throws {
    let fixture = try MirroredFixture()
    defer { withExtendedLifetime(fixture) {} }
    let bus = try fixture.bus { $0.isCandidate = false }
    let all = try bus.subscribe("t")
    for number in 0..<5 {
      try bus.publish(
        Message(type: "n", sender: "s", payload: RawJSON("\(number)")), to: Topic("t"))
    }
    let envelopes = try (0..<5).map { _ in try #require(all.take(1).first?.envelope) }
    let late = try bus.subscribe(
      "t", options: SubscriptionOptions(start: .after(envelopes[2].id)))
    for expected in envelopes[3...] {
      #expect(try late.take(1).first?.envelope?.id == expected.id)
    }
  }
}
