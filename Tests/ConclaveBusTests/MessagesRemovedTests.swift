import BusTesting
import Glibc
import Testing

@testable import ConclaveBus

/// Who begins to read where retention has removed something is told, and who does not is not.
@Suite struct MessagesRemovedTests {
  private let topic: Topic

  init() throws { topic = try Topic("t") }

  /// Of eleven messages, 0 to 10, the first six are removed.
  private func cut(_ fixture: MirroredFixture, _ bus: MirroredBus) throws {
    try bus.say(0..<6)
    try fixture.rotate()
    try bus.say(6..<11)
    try fixture.remove(keeping: 5)
  }

  private let rest = ["1 to 6 removed", "6", "7", "8", "9", "10"]

  /// It has what there is, and is told that there was more.
  @Test(arguments: [true, false])
  func fromTheBeginning(_ isMirrored: Bool) throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    try bus.say(0..<3, on: "u")
    try cut(fixture, bus)
    try bus.say(3..<4, on: "u")
    let reader: any MessageBus = isMirrored ? bus : try FileBus(directory: fixture.directory)
    let warnings = WarningList()
    let all = try reader.subscribe("", options: warnings.options(.beginning))
    let found = try all.take(9)
    #expect(numbers(found.filter { $0.envelope?.topic == topic }) == Array(rest.dropFirst()))
    #expect(numbers(found.filter { $0.envelope?.topic.name == "u" }) == ["0", "1", "2", "3"])
    #expect(all.losses == SubscriptionLosses())
    #expect(warnings.list == [.messagesRemoved(topic: topic, places: isMirrored ? 9 : .max)])
  }

  /// What was there when it began and is gone before it comes to it is missed by it, also of
  /// senders that it has not heard yet.
  @Test(arguments: [true, false])
  func whileItReads(_ isMirrored: Bool) throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    try bus.say(0..<2)
    try fixture.rotate()
    let other = try bus.publisher(
      topic: topic, sender: "other", type: "n", durability: .mirrored)
    for number in 0..<3 { try other.publish(RawJSON("\(number)")) }
    try fixture.rotate()
    let reader: any MessageBus = isMirrored ? bus : try FileBus(directory: fixture.directory)
    let warnings = WarningList()
    let slow = try reader.subscribe("t", options: warnings.options(.beginning))
    #expect(try slow.drain(limit: 1, onGap: { _ in }, onMessage: { _, _ in }) == 1)
    try other.publish(RawJSON("3"))
    try fixture.remove(keeping: 1)
    #expect(try numbers(slow.take(3)) == ["1", "1 to 3 removed", "3"])
    let told: BusWarning =
      isMirrored
      ? .messagesRemoved(topic: topic, places: 3) : .filesRemoved(topic: topic, numbers: 2...2)
    #expect(slow.losses.lostMessages == 3 && warnings.list == [told])
  }

  @Test(arguments: [true, false])
  func sinceATime(_ isMirrored: Bool) throws {
    let fixture = try MirroredFixture()
    let before = Timestamp.now()
    let bus = try fixture.bus()
    try cut(fixture, bus)
    let reader: any MessageBus = isMirrored ? bus : try FileBus(directory: fixture.directory)
    let warnings = WarningList()
    let early = try reader.subscribe("t", options: warnings.options(.since(before)))
    #expect(try numbers(early.take(6)) == rest)
    #expect(warnings.list == [.messagesRemoved(topic: topic, places: .max)])
    // What was removed is older than what it wants.
    let first = try #require(try Disk.envelopes("\(fixture.file("t")).000002").first)
    let late = try reader.subscribe("t", options: warnings.options(.since(first.timestamp)))
    #expect(try numbers(late.take(5)) == Array(rest.dropFirst()))
    #expect(warnings.list.count == 1 && late.losses == SubscriptionLosses())
  }

  @Test(arguments: [true, false])
  func behindAMessage(_ isMirrored: Bool) throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    try bus.say(0..<1, on: "u")
    try cut(fixture, bus)
    let anchor = try #require(try Disk.envelopes(fixture.file("u")).first)
    let gone = MessageID(process: anchor.id.process, counter: anchor.id.counter + 1)
    let reader: any MessageBus = isMirrored ? bus : try FileBus(directory: fixture.directory)
    // Its own topic's file is not there any more.
    do throws(BusError) {
      _ = try reader.subscribe("", options: SubscriptionOptions(start: .after(gone)))
      Issue.record("begins behind what is gone")
    } catch {
      #expect(error.code == .notFound && error.message.contains("any more"))
    }
    guard isMirrored else { return }
    let warnings = WarningList()
    let subscription = try bus.subscribe("", options: warnings.options(.after(anchor.id)))
    #expect(try numbers(subscription.take(5)) == Array(rest.dropFirst()))
    // Places 1 to 6; of which of them the numbers are nobody can say.
    #expect(warnings.list == [.messagesRemoved(topic: topic, places: 6)])
  }

  /// A durable subscription that nobody reads for a while.
  @Test func unclaimed() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    try bus.subscribe(durable: "n", to: "t").close()
    try cut(fixture, bus)
    let warnings = WarningList()
    let options = DurableOptions(onWarning: { warnings.add($0) })
    let member = try bus.subscribe(durable: "n", to: "t", options: options)
    let taken = try member.take(5)
    #expect(taken.map(\.value) == Array(6..<11))
    #expect(numbers(taken[0].gaps.map { .gap($0) }) == ["1 to 6 removed"])
    #expect(taken.dropFirst().allSatisfy { $0.gaps.isEmpty })
    #expect(warnings.list == [.messagesRemoved(topic: topic, places: 6)])
    #expect(member.losses.lostMessages == 6)
    #expect(try member.acknowledge(upTo: taken[4]) == 5)
    member.close()

    // In the middle of a stream: that something is lost is certain, and not what. What it had
    // does not count.
    try bus.say(11..<14)
    try fixture.rotate()
    try bus.say(14..<15)
    try fixture.remove(keeping: 1)
    let next = try bus.subscribe(durable: "n", to: "t", options: options)
    #expect(try next.take(1).map(\.value) == [14])
    #expect(warnings.list.dropFirst() == [.messagesRemoved(topic: topic, places: 3)])
    #expect(next.losses != SubscriptionLosses())
    next.close()
  }

  /// What was removed had been acknowledged before.
  @Test func whatWasReadMayGo() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let warnings = WarningList()
    let options = DurableOptions(onWarning: { warnings.add($0) })
    let member = try bus.subscribe(durable: "n", to: "t", options: options)
    try bus.say(0..<6)
    try member.acknowledge(upTo: #require(member.take(6).last))
    member.close()
    try fixture.rotate()
    // Places go on, but not in this topic.
    try bus.say(0..<20, on: "u")
    try bus.say(6..<7)
    try fixture.remove(keeping: 1)
    let next = try bus.subscribe(durable: "n", to: "t", options: options)
    let taken = try next.take(1)
    #expect(taken.map(\.value) == [6] && taken[0].gaps.isEmpty && warnings.list.isEmpty)
    next.close()
  }

  /// The ring went round, and when the subscription looks into the files they are gone, too.
  @Test func overrunAndRemoved() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let warnings = WarningList()
    let slow = try bus.subscribe("t", options: warnings.options(.now))
    try bus.say(0..<3000)
    try fixture.rotate()
    try bus.say(3000..<5000)
    try fixture.remove(keeping: 2000)
    var heard: [Delivery] = []
    while heard.last?.payload != "4999", let next = try slow.receive(timeout: hangLimit) {
      heard.append(next)
    }
    let gaps = heard.compactMap { if case .gap(let gap) = $0 { gap } else { nil } }
    #expect(gaps.map(\.seq) == [1...3000] && gaps.map(\.reason) == [.removed])
    #expect(heard.count == 2001)
    #expect(warnings.list.contains(.messagesRemoved(topic: topic, places: 3000)))
  }

  /// Positions begin anew after that, and nothing was removed of what comes then.
  @Test func cleaningForgetsIt() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    try cut(fixture, bus)
    let ledger = "\(fixture.directory.path)/\(RetentionLedger.name)"
    #expect(Disk.read(ledger).starts(with: Array("t 5 ".utf8)))
    bus.close()
    _ = try waitUntil("cleaned") {
      (try? SharedMemoryBus.clean(fixture.directory)).flatMap { _ in
        try? FileBus.clean(fixture.directory)
      }
    }
    #expect(Disk.size(ledger) == -1)
  }

  @Test func aLedgerThatMakesNoSenseSaysNothing() throws {
    let whole = "a 7 9\nb - 3\n"
    let ledger = RetentionLedger(Array(whole.utf8))
    #expect(ledger.bytes == Array(whole.utf8))
    var generator = SeededGenerator(state: 1)
    for _ in 0..<2000 {
      var bytes = Array("\(whole)../x 1 2\nt -1 5\nt 1 x\nc 99999999999999999999 1\n".utf8)
      for _ in 0..<3 {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(
          in: 0...255, using: &generator)
      }
      #expect(RetentionLedger(bytes).entries.count <= 8)
    }
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    Disk.write("\(fixture.directory.path)/\(RetentionLedger.name)", Array("nonsense\n\n 1".utf8))
    try bus.say(0..<3)
    let all = try bus.subscribe("t", options: SubscriptionOptions(start: .beginning))
    #expect(try numbers(all.take(3)) == ["0", "1", "2"])
  }
}
