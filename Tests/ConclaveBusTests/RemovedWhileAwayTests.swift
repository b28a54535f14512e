import BusTesting
import Glibc
import Testing

@testable import ConclaveBus

/// A subscription that lags while a sender begins, and retention removes what that one has said, is
/// told what it has lost wherever it goes on.
@Suite(.blocking) struct RemovedWhileAwayTests {
  private let fixture: MirroredFixture
  private let bus: MirroredBus

  init() throws {
    fixture = try MirroredFixture()
    bus = try fixture.bus()
    // Of a sender that is gone when it is over: a process has one lane at a time.
    let before = try Newcomer(fixture.directory)
    try before.say(0..<1)
    #expect(fixture.settle())
  }

  /// A sender that begins now, with a lane of its own.
  private struct Newcomer {
    private let bus: SharedMemoryBus
    private let publisher: Publisher

    init(_ directory: BusDirectory) throws {
      bus = try SharedMemoryBus(directory: directory)
      publisher = try bus.publisher(topic: Topic("t"), sender: "new", type: "n")
    }

    func say(_ numbers: Range<Int>) throws {
      for number in numbers { try publisher.publish(RawJSON("\(number)")) }
    }
  }

  /// A new sender publishes three times what the ring holds, and that is put aside.
  private func overtake() throws -> Newcomer {
    let sender = try Newcomer(fixture.directory)
    try sender.say(0..<3000)
    try fixture.rotate()
    return sender
  }

  /// The sender speaks again when the subscription is past the files, or never.
  @Test(arguments: [true, false])
  func goesOnInTheRing(_ speaksAgain: Bool) throws {
    let slow = try bus.subscribe("t")
    let sender = try overtake()
    try bus.say(1..<2)
    try fixture.remove(keeping: 1)
    var heard = try slow.take(1)
    if speaksAgain {
      while let next = try slow.poll() { heard.append(next) }
      try sender.say(3000..<3002)
      heard += try slow.take(4 - heard.count)
    } else {
      heard += try slow.take(1)
    }
    #expect(numbers(heard) == ["1", "1 to 3000 removed"] + (speaksAgain ? ["3000", "3001"] : []))
    #expect(slow.losses.lostMessages == 3000 && slow.losses.gaps == 1)
  }

  /// It has begun in the past, and is overrun later.
  @Test func beganInThePast() throws {
    let slow = try bus.subscribe("t", options: SubscriptionOptions(start: .beginning))
    #expect(try numbers(slow.take(1)) == ["0"])
    #expect(try slow.poll() == nil)
    let sender = try overtake()
    try sender.say(3000..<3002)
    try fixture.remove(keeping: 2)
    #expect(try numbers(slow.take(3)) == ["1 to 3000 removed", "3000", "3001"])
    #expect(slow.losses.lostMessages == 3000 && slow.losses.gaps == 1)
  }

  @Test(arguments: [true, false])
  func durable(_ goesOnInTheRing: Bool) throws {
    let member = try bus.subscribe(
      durable: "d", to: "t", options: DurableOptions(start: .beginning))
    #expect(try member.take(1).map(\.value) == [0])
    let sender = try overtake()
    if goesOnInTheRing { try bus.say(1..<2) } else { try sender.say(3000..<3001) }
    try fixture.remove(keeping: 1)
    var taken = try member.take(1)
    if goesOnInTheRing {
      #expect(try member.poll() == nil)
      try sender.say(3000..<3001)
      taken += try member.take(1)
    }
    #expect(taken.map(\.value) == (goesOnInTheRing ? [1, 3000] : [3000]))
    #expect(numbers(taken.flatMap(\.gaps).map { .gap($0) }) == ["1 to 3000 removed"])
    #expect(member.losses.lostMessages == 3000)
    member.close()
  }

  /// The reader of the files alone is in the first file still, which it finishes.
  @Test func filesAlone() throws {
    let files = try FileBus(directory: fixture.directory)
    let slow = try files.subscribe("t")
    try bus.say(1..<2)
    try fixture.rotate()
    let sender = try overtake()
    try sender.say(3000..<3002)
    try fixture.remove(keeping: 2)
    let heard = try numbers(slow.take(4))
    #expect(heard == ["1", "1 to 3000 removed", "3000", "3001"])
    #expect(slow.losses.lostMessages == 3000 && slow.losses.gaps == 1)
  }

  /// Nothing of the sender is left, in a topic that did not exist when the subscription began.
  @Test(arguments: [true, false])
  func wholeStreams(_ beginsInThePast: Bool) throws {
    let files = try FileBus(directory: fixture.directory)
    let warnings = WarningList()
    let slow = try files.subscribe(
      "u", options: warnings.options(beginsInThePast ? .beginning : .now))
    try bus.say(0..<5, on: "u")
    try fixture.rotate("u")
    try bus.publish(
      Message(type: "n", sender: "other", payload: RawJSON("9")), to: Topic("u"),
      durability: .mirrored)
    try fixture.remove(keeping: 1, of: "u")
    #expect(try numbers(slow.take(1)) == ["9"])
    #expect(warnings.list == [.messagesRemoved(topic: try Topic("u"), places: .max)])
    #expect(slow.losses != SubscriptionLosses())
  }
}
