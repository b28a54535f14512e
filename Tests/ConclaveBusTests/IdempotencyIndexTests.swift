import Glibc
import SharedRing
import Testing

@testable import ConclaveBus

/// What the index remembers, and for how long.
@Suite struct IdempotencyIndexTests {
  @Test func aKeyIsPublishedOnceOnItsTopic() throws {
    let world = KeyWorld()
    let index = try world.index()
    #expect(try world.publish("a", to: index))
    #expect(try !world.publish("a", to: index))
    #expect(try world.publish("a", to: index, topic: "u"))
    #expect(try world.publish("b", to: index))
    // Another object, as another process or the same one later.
    let later = try world.index()
    #expect(try !world.publish("a", to: later))
    #expect(try !world.publish("a", to: later, topic: "u"))
    #expect(try world.publish("c", to: later))
    #expect(try !world.publish("c", to: index))
    #expect(world.published.withLock { $0.values.allSatisfy { $0 == 1 } })
  }

  @Test func aDuplicateNamesItsMessage() throws {
    let world = KeyWorld()
    let index = try world.index()
    let key = try IdempotencyKey("a")
    let topic = try Topic("t")
    let id = MessageID(process: 7, counter: 9)
    let first = try index.publishOnce(
      key, topic: topic, wasPublished: { _ throws(BusError) in nil },
      publish: { _ throws(BusError) in id })
    #expect(first == .published(id))
    let second = try world.index().publishOnce(
      key, topic: topic, wasPublished: { _ throws(BusError) in nil },
      publish: { _ throws(BusError) in nil })
    #expect(second == .duplicate(of: id))
  }

  @Test func theWindowEnds() throws {
    let world = KeyWorld(window: .seconds(60))
    let index = try world.index()
    #expect(try world.publish("a", to: index))
    world.clock.pass(.seconds(59))
    #expect(try !world.publish("a", to: index))
    // A duplicate does not prolong it.
    world.clock.pass(.seconds(1))
    #expect(try world.publish("a", to: index))
    world.clock.pass(.seconds(59))
    #expect(try !world.publish("a", to: index))
  }

  @Test(arguments: [1, 3, 19, 64, 65, 500])
  func theOldestGoFirst(_ capacity: Int) throws {
    let world = KeyWorld(capacity: capacity)
    let index = try world.index()
    for number in 0..<capacity * 3 {
      #expect(try world.publish("\(number)", to: index))
      // The newest `capacity` are known, whatever bucket they are in.
      let oldest = max(0, number - capacity + 1)
      #expect(try !world.publish("\(oldest)", to: index))
      #expect(try !world.publish("\((oldest + number) / 2)", to: index))
    }
    // Those behind them are not.
    let first = capacity * 3 - capacity - 1
    #expect(try world.publish("\(first)", to: index))
    #expect(index.capacity == capacity)
  }

  @Test func aFullIndexKeepsItsCapacity() throws {
    let world = KeyWorld(capacity: 20_000)
    let index = try world.index()
    func claim(_ numbers: Range<Int>) throws -> Int {
      let keys = try numbers.map { try IdempotencyKey("key \($0)") }
      return try world.publishAll(keys, to: index).count { $0 != nil }
    }
    for start in stride(from: 0, to: 60_000, by: 500) {
      #expect(try claim(start..<start + 500) == 500)
    }
    for start in stride(from: 40_000, to: 60_000, by: 500) {
      #expect(try claim(start..<start + 500) == 0)
    }
    let size = Disk.size(world.path)
    #expect(size == 4096 + 1000 * 4096)
  }

  @Test func settingTheWallClockChangesNothing() throws {
    let world = KeyWorld(window: .seconds(60))
    let index = try world.index()
    #expect(try world.publish("a", to: index))
    world.clock.setWall(by: -86_400)
    #expect(try world.publish("b", to: index))
    world.clock.pass(.seconds(30))
    #expect(try !world.publish("a", to: index))
    world.clock.setWall(by: 7 * 86_400)
    #expect(try !world.publish("a", to: index) && !world.publish("b", to: index))
    world.clock.pass(.seconds(30))
    #expect(try world.publish("a", to: index) && world.publish("b", to: index))
  }

  /// The clock of a machine may be wrong after its start: nothing is kept for longer than a window.
  @Test(arguments: [-86_400, 5])
  func aRebootKeepsKeysForAWindow(_ step: Int64) throws {
    let world = KeyWorld(window: .seconds(60))
    let message = MessageID(process: 1, counter: 2)
    #expect(try world.publish("a", to: world.index()))
    world.clock.reboot(wallBy: step)
    let index = try world.index()
    // The message may have been lost with the power, so the bus is asked once.
    var asked = 0
    #expect(
      try !world.publish("a", to: index) { _ throws(BusError) in
        asked += 1
        return message
      })
    #expect(try !world.publish("a", to: index))
    #expect(asked == 1)
    world.clock.pass(.seconds(61))
    #expect(try world.publish("a", to: index))
  }

  @Test func aMessageThatAPowerCutTookIsPublishedAgain() throws {
    let world = KeyWorld()
    #expect(try world.publish("a", to: world.index()))
    world.clock.reboot()
    let index = try world.index()
    #expect(try world.publish("a", to: index) { _ throws(BusError) in nil })
    #expect(try !world.publish("a", to: index))
  }

  @Test func anIntentOfTheDeadIsAskedFor() throws {
    let world = KeyWorld()
    try world.die(with: "lost", in: world.index())
    try world.die(with: "there", in: world.index())
    world.clock.pass(.seconds(9))
    let index = try world.index()
    let began = world.clock.moment.wall - 9_000_000_000
    var doubts: [IdempotencyIndex.Doubt] = []
    #expect(
      try world.publish("lost", to: index) { doubt throws(BusError) in
        doubts.append(doubt)
        return nil
      })
    #expect(
      try !world.publish("there", to: index) { doubt throws(BusError) in
        doubts.append(doubt)
        return doubt.id
      })
    #expect(doubts.map(\.key.text) == ["lost", "there"])
    #expect(doubts.allSatisfy { $0.since.nanosecondsSinceEpoch == began && $0.id != nil })
    // Now both are settled: nobody is asked again.
    #expect(try !world.publish("lost", to: index) && !world.publish("there", to: index))
  }

  @Test func whoFailsLeavesADoubtAndWhoDoesNotPublishNone() throws {
    let world = KeyWorld()
    let index = try world.index()
    let (key, topic) = (try IdempotencyKey("a"), try Topic("t"))
    let full = BusError(.noSpace, "full")
    #expect(throws: full) {
      try index.publishOnce(
        key, topic: topic, wasPublished: { _ throws(BusError) in nil },
        publish: { _ throws(BusError) in throw full })
    }
    var asked = false
    let outcome = try index.publishOnce(
      key, topic: topic,
      wasPublished: { _ throws(BusError) in
        asked = true
        return nil
      }, publish: { _ throws(BusError) in nil })
    #expect(outcome == nil && asked)
    #expect(try world.publish("a", to: index))
    // When the bus cannot be asked, nothing is acknowledged and nothing is forgotten.
    try world.die(with: "b", in: index)
    #expect(throws: full) {
      try world.publish("b", to: index) { _ throws(BusError) in throw full }
    }
    #expect(try !world.publish("b", to: index) { $0.id })
  }

  @Test func aKeyTwiceInABatchIsOneMessage() throws {
    let world = KeyWorld(capacity: 10)
    let index = try world.index()
    let names = ["a", nil, "b", "a", nil, "a"]
    let keys = try names.map { try $0.map { try IdempotencyKey($0) } }
    let ids = try world.publishAll(keys, to: index)
    #expect(ids.map { $0 != nil } == [true, true, true, false, true, false])
    let counters = ids.compactMap { $0?.counter }
    #expect(zip(counters, counters.dropFirst()).allSatisfy { $0 < $1 })
    #expect(try !world.publish("a", to: index) && !world.publish("b", to: index))
  }

  /// Each confirmation must go to its own key's place, also where later keys of the same batch have
  /// displaced earlier ones.
  @Test func aBatchMayHaveMoreKeysThanAreRemembered() throws {
    let world = KeyWorld(capacity: 10)
    let index = try world.index()
    let keys = try (0..<300).map { try IdempotencyKey("\($0)") }
    #expect(try world.publishAll(keys, to: index).count { $0 != nil } == 300)
    for number in 290..<300 { #expect(try !world.publish("\(number)", to: index)) }
    #expect(try world.publish("289", to: index) && index.corruptEntries == 0)
  }

  @Test func aTakenKeyIsWaitedForPatiently() throws {
    let world = KeyWorld()
    let (index, other) = (try world.index(), try world.index())
    let (key, topic) = (try IdempotencyKey("a"), try Topic("t"))
    for index in [index, other] {
      guard
        let held = try index.claim(
          [key], topic: topic, wait: .blocking, wasPublished: { $0.id })
      else {
        Issue.record("the key is free, but cannot be had")
        return
      }
      defer { _ = held.fresh }
      for blocked in [index, other] {
        let error = #expect(throws: BusError.self) { try world.publish("a", to: blocked) }
        #expect(error?.code == .busy)
        let isFree =
          try blocked.claim(
            [key], topic: topic, wait: .never, wasPublished: { $0.id }) != nil
        #expect(!isFree)
      }
    }
    #expect(try !world.publish("a", to: index) { $0.id })
  }

  @Test func rebuildingKnowsWhatIsOnTheBus() throws {
    let world = KeyWorld(window: .seconds(60))
    let index = try world.index()
    try world.die(with: "dead", in: index)
    let topic = try Topic("t")
    let now = world.clock.moment.wall
    func known(_ key: String, secondsAgo: UInt64) throws -> IdempotencyIndex.Known {
      IdempotencyIndex.Known(
        key: try IdempotencyKey(key), topic: topic, id: MessageID(process: 1, counter: 1),
        time: Timestamp(nanosecondsSinceEpoch: now - secondsAgo * 1_000_000_000))
    }
    let messages = try [
      known("old", secondsAgo: 60), known("a", secondsAgo: 50), known("dead", secondsAgo: 1),
      known("b", secondsAgo: 0), known("a", secondsAgo: 0),
    ]
    #expect(try index.rebuild(from: messages) == 3)
    #expect(try !world.publish("a", to: index) && !world.publish("dead", to: index))
    #expect(try world.publish("old", to: index))
    world.clock.pass(.seconds(10))
    #expect(try world.publish("a", to: index) && !world.publish("b", to: index))
  }
}
