import BusTesting
import ConclaveBus
import Glibc
import SharedRing
import Synchronization
import Testing

/// What subscriptions make of files, whatever happens to these.
@Suite struct FileBusReadingTests {
  private let beginning = SubscriptionOptions(start: .beginning)

  /// Collects warnings.
  private final class Warnings: Sendable {
    private let all = Lock<[BusWarning]>([])
    var list: [BusWarning] { all.withLock { $0 } }
    func options(_ start: SubscriptionOptions.Start) -> SubscriptionOptions {
      SubscriptionOptions(start: start) { warning in self.all.withLock { $0.append(warning) } }
    }
  }

  @Test func deliversABacklogInFull() throws {
    let scratch = Scratch()
    let bus = try scratch.bus()
    for number in 0..<200 { try bus.say("\(number)") }
    let subscription = try bus.subscribe("t", options: beginning)
    #expect(try subscription.payloads() == (0..<200).map(String.init))
    #expect(subscription.losses == SubscriptionLosses())
  }

  @Test func readsLinesOfAnyLength() throws {
    let scratch = Scratch()
    let bus = try scratch.bus()
    let subscription = try bus.subscribe("t")
    let lengths = [1, 65_535, 2, 65_536, 3, 65_537, 4, 1 << 20, 5, 16 << 20, 6]
    for length in lengths {
      try bus.say(length < 10 ? "\(length)" : #""\#(String(repeating: "x", count: length - 2))""#)
    }
    for length in lengths {
      let payload = try #require(try subscription.receive(timeout: hangLimit)?.envelope?.payload)
      #expect(length < 10 ? payload.description == "\(length)" : payload.bytes.count == length)
    }
    #expect(subscription.losses.damaged == 0)
  }

  @Test func readsLinesAroundTheSizeOfItsBuffer() throws {
    let scratch = Scratch()
    try scratch.bus().say(#""""#)
    let bare = Disk.size(scratch.file("t"))
    let bus = try scratch.bus()
    let subscription = try bus.subscribe("t")
    for length in 65_530...65_540 {
      try bus.say(#""\#(String(repeating: "x", count: length - bare))""#)
      try bus.say("\(length)")
      #expect(try subscription.take(2).map(\.payload).last == "\(length)")
    }
    let again = try bus.subscribe("t", options: beginning)
    #expect(try again.payloads().count == 23)
  }

  @Test func skipsALineThatIsTooLong() throws {
    let scratch = Scratch()
    let warnings = Warnings()
    let bus = try scratch.bus(FileBusOptions(messageLimit: 10_000))
    let large = try scratch.bus()
    let subscription = try bus.subscribe("t", options: warnings.options(.now))
    try bus.say("1")
    try large.say(#""\#(String(repeating: "x", count: 300_000))""#)
    try bus.say("2")
    #expect(try subscription.payloads() == ["1", "2"])
    #expect(subscription.losses.damaged == 1)
    guard case .damagedLine(_, let offset, let reason)? = warnings.list.first else {
      Issue.record("no warning")
      return
    }
    #expect(Int(offset) == Disk.lines(scratch.file("t"))[0].count + 1)
    #expect(reason.contains("longer than"))
  }

  @Test func skipsLinesThatAreNoEnvelopes() throws {
    let scratch = Scratch()
    let warnings = Warnings()
    let bus = try scratch.bus()
    try bus.say("1", on: "u")
    let foreign = Disk.read(scratch.file("u"))
    try bus.say("1")
    let spoilt = [
      "garbage\n", "\n", "{}\n", "\0\0\0\0\n", "{\"id\":\"1-1\"\n", "[1,2]\n", "\u{1}\n",
    ]
    for text in spoilt { Disk.append(scratch.file("t"), text) }
    Disk.write(scratch.file("t"), [0xFF, 0xFE, 0x0A] + foreign, append: true)
    try bus.say("2")
    let subscription = try bus.subscribe("t", options: warnings.options(.beginning))
    #expect(try subscription.payloads() == ["1", "2"])
    #expect(subscription.losses.damaged == UInt64(spoilt.count + 2))
    #expect(warnings.list.count == spoilt.count + 2)
  }

  @Test func waitsForTheLineFeed() throws {
    let scratch = Scratch()
    let bus = try scratch.bus()
    try bus.say("1")
    let line = Disk.read(scratch.file("t"))
    let subscription = try bus.subscribe("t")
    for byte in line.dropLast() {
      Disk.write(scratch.file("t"), [byte], append: true)
      #expect(try subscription.poll() == nil)
    }
    Disk.append(scratch.file("t"), "\n")
    #expect(try subscription.take(1).map(\.payload) == ["1"])
    #expect(subscription.losses.damaged == 0)
  }

  @Test func forgetsATornLineThatWasCutOff() throws {
    let scratch = Scratch()
    let bus = try scratch.bus()
    try bus.say("1")
    let line = Disk.read(scratch.file("t"))
    let subscription = try bus.subscribe("t")
    Disk.write(scratch.file("t"), Array(line.dropLast(5)), append: true)
    #expect(try subscription.poll() == nil)
    try bus.say("2")
    #expect(try subscription.take(1).map(\.payload) == ["2"])
    #expect(bus.tornTails == 1 && subscription.losses == SubscriptionLosses())
  }

  @Test func followsATruncatedFile() throws {
    let scratch = Scratch()
    let warnings = Warnings()
    let bus = try scratch.bus()
    for number in 0..<10 { try bus.say("\(number)") }
    let subscription = try bus.subscribe("t", options: warnings.options(.beginning))
    #expect(try subscription.payloads().count == 10)

    // Written anew: all of it is news.
    #expect(unsafe truncate(scratch.file("t"), 0) == 0)
    try bus.say("10")
    #expect(try subscription.take(1).map(\.payload) == ["10"])
    #expect(warnings.list == [.fileReplaced(file: "t.jsonl")])

    // Written anew and longer than before, between two looks.
    #expect(unsafe truncate(scratch.file("t"), 0) == 0)
    for number in 11..<31 { try bus.say("\(number)") }
    #expect(try subscription.take(20).map(\.payload) == (11..<31).map(String.init))

    // Only shortened: nothing of what is left is delivered again.
    let lines = Disk.lines(scratch.file("t"))
    #expect(unsafe truncate(scratch.file("t"), lines[0].count + lines[1].count + 7) == 0)
    try bus.say("31")
    #expect(try subscription.take(1).map(\.payload) == ["31"])
    #expect(subscription.losses.damaged == 0)
  }

  @Test func readsARenamedFileToItsEndAndThenTheNewOne() throws {
    let scratch = Scratch()
    let warnings = Warnings()
    let bus = try scratch.bus()
    let subscription = try bus.subscribe("t", options: warnings.options(.now))
    try bus.say(#""first""#)
    #expect(try subscription.take(1).count == 1)
    for round in 0..<10 {
      for number in 0..<5 { try bus.say("\(number)") }
      #expect(unsafe rename(scratch.file("t"), "\(scratch.file("t")).\(round)") == 0)
      for number in 5..<10 { try bus.say("\(number)") }
      #expect(try subscription.take(10).map(\.payload) == (0..<10).map(String.init))
    }
    #expect(subscription.losses == SubscriptionLosses() && warnings.list.count == 10)
  }

  @Test func losesNothingOverRotations() throws {
    let scratch = Scratch()
    let bus = try scratch.bus()
    let subscription = try bus.subscribe("t")
    let count = 20_000
    let rotations = Atomic<Int>(0)
    Processes.onThreads(2) { thread in
      guard thread == 1 else {
        for number in 0..<count { #expect((try? bus.say("\(number)")) != nil) }
        return
      }
      for number in 0..<count {
        let delivery = (try? subscription.receive(timeout: hangLimit)) ?? nil
        guard delivery?.payload == "\(number)" else {
          Issue.record("\(String(describing: delivery)) instead of \(number)")
          return
        }
        // A file that the subscription never saw under its name would be lost to it.
        guard number % 100 == 99, let line = Disk.firstLine(scratch.file("t")),
          let first = try? unsafe Envelope(jsonLine: line.span.bytes), first.seq <= number
        else { continue }
        let rotation = rotations.wrappingAdd(1, ordering: .relaxed).newValue
        #expect(unsafe rename(scratch.file("t"), "\(scratch.file("t")).\(rotation)") == 0)
      }
    }
    #expect(rotations.load(ordering: .relaxed) > 1)
    #expect(subscription.losses == SubscriptionLosses())
  }

  @Test func seesAFileDeletedAndMadeAgain() throws {
    let scratch = Scratch()
    let bus = try scratch.bus()
    let subscription = try bus.subscribe("t", options: beginning)
    for number in 0..<10 {
      try bus.say("\(number)")
      #expect(try subscription.take(1).map(\.payload) == ["\(number)"])
      #expect(unsafe unlink(scratch.file("t")) == 0)
    }
    #expect(subscription.losses == SubscriptionLosses())
  }

  @Test(arguments: [true, false]) func beginsExactlyNow(_ inotify: Bool) throws {
    let scratch = Scratch()
    var options = FileBusOptions(useInotify: inotify)
    options.pollInterval = .milliseconds(5)
    let bus = try scratch.bus(options)
    var random = SeededGenerator(state: 7)
    for round in 0..<50 {
      let topics = (0..<3).map { "round-\(round).\($0)" }
      for topic in topics where Bool.random(using: &random) { try bus.say("0", on: topic) }
      let subscription = try bus.subscribe("round-\(round)")
      for topic in topics { try bus.say("1", on: topic) }
      #expect(try subscription.take(3).map(\.payload) == ["1", "1", "1"])
      #expect(try subscription.poll() == nil)
    }
  }

  @Test func beginsBehindAnUnfinishedLine() throws {
    let scratch = Scratch()
    let bus = try scratch.bus()
    try bus.say("1")
    let line = Disk.read(scratch.file("t"))
    Disk.write(scratch.file("t"), Array(line.prefix(50)), append: true)
    let subscription = try bus.subscribe("t")
    Disk.write(scratch.file("t"), Array(line.dropFirst(50)), append: true)
    #expect(try subscription.take(1).count == 1)
    #expect(subscription.losses.damaged == 0)
  }

  @Test func beginsBehindAnId() throws {
    let scratch = Scratch()
    let bus = try scratch.bus()
    var ids: [MessageID] = []
    // A batch has one time, so that only the id tells its messages apart.
    let batch = try (0..<4).map { Message(type: "x", sender: "a", payload: try RawJSON("\($0)")) }
    _ = try bus.publish(batch, to: Topic("t"), wait: .blocking)
    try bus.say("4", on: "u")
    try bus.say("5", on: "other")
    try bus.say("6", on: "t")
    try bus.say("7", on: "u")
    let all = try bus.subscribe("", options: beginning)
    while let delivery = try all.poll() { ids += [delivery.envelope?.id].compactMap { $0 } }
    #expect(ids.count == 8)
    for (index, id) in ids.enumerated() {
      let rest = try bus.subscribe("", options: SubscriptionOptions(start: .after(id)))
      #expect(try rest.payloads() == (index + 1..<8).map(String.init))
    }
    // The id of a message of another topic is as good.
    let t = try bus.subscribe("t", options: SubscriptionOptions(start: .after(ids[5])))
    #expect(try t.payloads() == ["6"])
    try bus.say("8")
    #expect(try t.take(1).map(\.payload) == ["8"])
    let unknown = SubscriptionOptions(start: .after(MessageID(process: 1, counter: 1)))
    #expect { try bus.subscribe("t", options: unknown) } throws: {
      ($0 as? BusError)?.code == .notFound
    }
  }

  @Test func mergesFilesByTime() throws {
    let scratch = Scratch()
    let bus = try scratch.bus()
    var random = SeededGenerator(state: 3)
    for number in 0..<300 { try bus.say("\(number)", on: "t\(random.next() % 7)") }
    let subscription = try bus.subscribe("", options: beginning)
    #expect(try subscription.payloads() == (0..<300).map(String.init))
  }

  @Test func reportsMissingLinesOnce() throws {
    let scratch = Scratch()
    let bus = try scratch.bus()
    for number in 1...9 { try bus.say("\(number)") }
    let lines = Disk.lines(scratch.file("t"))
    let kept = [0, 1, 4, 5, 8].reduce(into: [UInt8]()) { $0 += lines[$1] + [0x0A] }
    Disk.write(scratch.file("t"), kept)
    let subscription = try bus.subscribe("t", options: beginning)
    let ranges = try subscription.take(7).compactMap { delivery -> ClosedRange<UInt64>? in
      guard case .gap(let gap) = delivery else { return nil }
      #expect(gap.sender == "a" && gap.topic.name == "t" && gap.reason == .missing)
      #expect(gap.incarnation == bus.incarnation && gap.process == UInt32(getpid()))
      return gap.seq
    }
    #expect(ranges == [3...4, 7...8])
    #expect(subscription.losses.lostMessages == 4 && subscription.losses.gaps == 2)
  }

  @Test func endsWithWhatWasThereWhenItWasClosed() throws {
    let scratch = Scratch()
    let bus = try scratch.bus()
    let other = try scratch.bus()
    try bus.say("1")
    let subscription = try bus.subscribe("", options: beginning)
    try other.say("2")
    try other.say("3", on: "u")
    bus.close()
    try other.say("4")
    try other.say("5", on: "v")
    #expect(try subscription.payloads() == ["1", "2", "3"])
    #expect(subscription.isEnded)
    #expect(try subscription.receive() == nil)
  }

  @Test(arguments: [true, false]) func wakesASleeper(_ inotify: Bool) throws {
    let scratch = Scratch()
    let bus = try scratch.bus(FileBusOptions(pollInterval: .milliseconds(5), useInotify: inotify))
    let subscription = try bus.subscribe("t")
    Processes.onThreads(2) { thread in
      if thread == 0 {
        for number in 0..<50 {
          #expect((try? subscription.receive(timeout: hangLimit))??.payload == "\(number)")
        }
        #expect((try? subscription.receive()) == .some(nil))
      } else {
        for number in 0..<50 {
          usleep(2000)
          try? bus.say("\(number)")
        }
        usleep(2000)
        bus.close()
      }
    }
    #expect(subscription.isEnded)
  }

  /// A subscription stops listening to each append during a stream, and must not stay deaf.
  @Test func hearsOfWhatComesAfterAStream() throws {
    let scratch = Scratch()
    let bus = try scratch.bus()
    let subscription = try bus.subscribe("t")
    let (streams, length) = (5, 4000)
    Processes.onThreads(2) { thread in
      guard thread == 1 else {
        for stream in 0..<streams {
          for number in 0..<length { try? bus.say("\(stream * (length + 1) + number)") }
          usleep(150_000)
          try? bus.say("\(stream * (length + 1) + length)", on: "t.\(stream)")
          usleep(5000)
        }
        return
      }
      for number in 0..<streams * (length + 1) {
        let delivery = (try? subscription.receive(timeout: hangLimit)) ?? nil
        guard delivery?.payload == "\(number)" else {
          Issue.record("\(String(describing: delivery)) instead of \(number)")
          return
        }
      }
    }
    #expect(try subscription.poll() == nil && subscription.losses == SubscriptionLosses())
  }

  @Test func warnsThatItPollsOnlyWhenItMust() throws {
    let scratch = Scratch()
    let warnings = Warnings()
    let bus = try scratch.bus(FileBusOptions(useInotify: false))
    _ = try bus.subscribe("t", options: warnings.options(.now))
    #expect(warnings.list.isEmpty)
  }
}
