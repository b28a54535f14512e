import BusTesting
import Glibc
import Synchronization
import Testing

@testable import ConclaveBus

/// How topic files are put aside, and what readers make of it.
@Suite struct TopicRotationTests {
  private let topic: Topic
  private let scratch = Scratch()

  init() throws { topic = try Topic("t") }

  @Test func namesAreRecognised() throws {
    let a = try Topic("a")
    let good: [(String, TopicFileName)] = [
      ("a.jsonl", TopicFileName(a)), ("a.jsonl.000001", TopicFileName(a, number: 1)),
      ("a.jsonl.999999", TopicFileName(a, number: 999_999)),
      ("a.jsonl.1000000", TopicFileName(a, number: 1_000_000)),
      (
        "a.jsonl.999999999999999999", TopicFileName(a, number: TopicFileName.greatestNumber)
      ),
      ("a.000001.jsonl", TopicFileName(try Topic("a.000001"))),
      ("a.jsonl.jsonl.000002", TopicFileName(try Topic("a.jsonl"), number: 2)),
    ]
    for (text, name) in good {
      #expect(TopicFileName(text) == name && name.text == text)
    }
    let bad = [
      "a.jsonl.1", "a.jsonl.00001", "a.jsonl.000000", "a.jsonl.0000001", "a.jsonl.00000x",
      "a.jsonl.-00001", "a.jsonl.+00001", "a.jsonl.1000000000000000000", "a.jsonl.000001.",
      "a.jsonl.", ".jsonl", ".jsonl.000001", "a..jsonl.000001", "a.json.000001", "000001",
      "a.jsonl.000001.gz", "a.jsonl.99999999999999999999999999", "a.jsonl.\u{661}00001",
    ]
    for text in bad { #expect(TopicFileName(text) == nil, "\(text)") }
    let longest = try Topic(String(repeating: "x", count: Topic.maximumLength))
    let name = TopicFileName(longest, number: TopicFileName.greatestNumber)
    #expect(name.text.utf8.count <= 255)
  }

  @Test func rotatesByItself() throws {
    let bus = try scratch.bus(FileBusOptions(rotateBytes: 1000))
    for number in 0..<100 { try bus.say("\(number)") }
    let numbers = scratch.numbers()
    #expect(numbers.count > 5 && numbers == Array(1...numbers.count))
    for number in numbers {
      #expect((1000..<1400).contains(Disk.size(scratch.file("t", number))))
    }
    #expect(try scratch.payloads() == (0..<100).map(String.init))
    #expect(try scratch.envelopes().map(\.seq) == Array(1...100))
  }

  /// A line that a crash left unfinished does not go into a file that is never changed again.
  @Test func cutsOffATornLineFirst() throws {
    let bus = try scratch.bus(FileBusOptions(rotateBytes: 1000))
    try bus.say("1")
    let whole = Disk.read(scratch.file("t"))
    Disk.append(scratch.file("t"), String(repeating: "x", count: 2000))
    // It is too long only with the unfinished line.
    try bus.say("2")
    #expect(scratch.numbers().isEmpty && bus.tornTails == 1)
    while scratch.numbers().isEmpty {
      if Disk.size(scratch.file("t")) >= 1000 { Disk.append(scratch.file("t"), "torn") }
      try bus.say("3")
    }
    #expect(bus.tornTails == 2)
    let rotated = Disk.read(scratch.file("t", 1))
    #expect(rotated.starts(with: whole) && rotated.last == 0x0A)
    #expect(try scratch.payloads().last == "3")
  }

  @Test func rotatesOnDemand() throws {
    let bus = try scratch.bus()
    #expect(try bus.rotate(topic) == nil)
    try bus.say("1")
    #expect(try bus.rotate(topic) == 1)
    #expect(try bus.rotate(topic) == nil)
    #expect(Disk.size(scratch.file("t")) == -1)
    // A line that a crash left unfinished does not get a number.
    Disk.append(scratch.file("t"), "{")
    #expect(try bus.rotate(topic) == nil)
    try bus.say("2")
    Disk.append(scratch.file("t"), "{")
    #expect(try bus.rotate(topic) == 2)
    #expect(try scratch.payloads() == ["1", "2"])
    bus.close()
    #expect(throws: BusError.self) { try bus.rotate(topic) }
  }

  /// Whoever comes later goes on with the numbers, also where some are missing.
  @Test func numbersGoOn() throws {
    for round in 1...3 {
      let bus = try scratch.bus()
      try bus.say("\(round)")
      #expect(try bus.rotate(topic) == UInt64(round))
    }
    #expect(unsafe unlink(scratch.file("t", 1)) == 0)
    #expect(unsafe mkdir(scratch.file("t", 7), 0o700) == 0)
    let bus = try scratch.bus()
    try bus.say("8")
    #expect(try bus.rotate(topic) == 8)
    Disk.write("\(scratch.file("t")).999999999999999999", [])
    try bus.say("9")
    #expect { try bus.rotate(topic) } throws: { ($0 as? BusError)?.code == .exhausted }
  }

  /// Publishing goes on where a file cannot be rotated.
  @Test func aFailureIsReportedAndHoldsUpNobody() throws {
    let warnings = WarningList()
    let bus = try scratch.bus(
      FileBusOptions(rotateBytes: 1000, onWarning: { warnings.add($0) }))
    Disk.write("\(scratch.file("t")).999999999999999999", [])
    for number in 0..<100 { try bus.say("\(number)") }
    #expect(try Disk.envelopes(scratch.file("t")).count == 100)
    #expect((2...20).contains(warnings.list.count))
    guard case .rotationFailed(topic, let reason)? = warnings.list.first else {
      Issue.record("\(warnings.list)")
      return
    }
    #expect(reason.contains("number"))
  }

  @Test(arguments: [FileBusOptions.SyncPolicy.everyPublish, .grouped(interval: .milliseconds(2))])
  func syncsOverRotations(_ policy: FileBusOptions.SyncPolicy) throws {
    let bus = try scratch.bus(FileBusOptions(syncPolicy: policy, rotateBytes: 500))
    let other = try scratch.bus(FileBusOptions(syncPolicy: policy, rotateBytes: 500))
    for number in 0..<50 { try (number % 3 == 0 ? bus : other).say("\(number)") }
    try bus.synchronize()
    try other.synchronize()
    #expect(try scratch.payloads() == (0..<50).map(String.init))
  }

  // MARK: Readers

  @Test func aLateSubscriberReadsAllFiles() throws {
    let bus = try scratch.bus(FileBusOptions(rotateBytes: 700))
    let warnings = WarningList()
    for number in 0..<100 { try bus.say("\(number)", on: number % 3 == 0 ? "t" : "t.u") }
    let all = try bus.subscribe("", options: warnings.options(.beginning))
    // In the order of time over all files of both topics.
    #expect(try all.payloads() == (0..<100).map(String.init))
    #expect(all.losses == SubscriptionLosses() && warnings.list.isEmpty)
    // A topic all of whose files are rotated.
    try bus.rotate(topic)
    let one = try bus.subscribe("t", options: warnings.options(.beginning))
    #expect(try one.payloads().count == 100)
    try bus.say("100")
    #expect(try one.payloads() == ["100"])
    #expect(try all.payloads() == ["100"])
    #expect(warnings.list.isEmpty)
  }

  @Test func beginsBehindAnyId() throws {
    let bus = try scratch.bus(FileBusOptions(rotateBytes: 500))
    for number in 0..<30 { try bus.say("\(number)", on: number % 3 == 0 ? "t" : "u") }
    try bus.rotate(topic)
    let all = try bus.subscribe("", options: SubscriptionOptions(start: .beginning))
    let ids = try all.take(30).compactMap { $0.envelope?.id }
    #expect(ids.count == 30)
    let warnings = WarningList()
    for (index, id) in ids.enumerated() {
      let rest = try bus.subscribe("", options: warnings.options(.after(id)))
      #expect(try rest.payloads() == (index + 1..<30).map(String.init))
      let own = try bus.subscribe("t", options: warnings.options(.after(id)))
      #expect(try own.payloads() == (index + 1..<30).filter { $0 % 3 == 0 }.map(String.init))
    }
    #expect(warnings.list.isEmpty)
  }

  @Test func beginsNowWhateverIsRotated() throws {
    let bus = try scratch.bus()
    let warnings = WarningList()
    for round in 0..<5 {
      for number in 0..<3 { try bus.say("\"old \(number)\"") }
      if round % 2 == 0 { try bus.rotate(topic) }
      let subscription = try bus.subscribe("", options: warnings.options(.now))
      if round % 3 == 0 { try bus.rotate(topic) }
      try bus.say("\(round)")
      try bus.rotate(topic)
      #expect(try subscription.payloads() == ["\(round)"])
    }
    #expect(warnings.list.isEmpty)
  }

  /// Rotated between any two steps of a reader that lags behind.
  @Test func aLaggingSubscriberMissesNothing() throws {
    let bus = try scratch.bus()
    let warnings = WarningList()
    let subscription = try bus.subscribe("", options: warnings.options(.beginning))
    var random = SeededGenerator(state: 5)
    var (said, heard) = (0, [String]())
    for _ in 0..<2000 {
      switch UInt64.random(in: 0..<8, using: &random) {
      case 0: try bus.rotate(topic)
      case 1: try bus.rotate(Topic("u"))
      case 2...4:
        try bus.say("\(said)", on: Bool.random(using: &random) ? "t" : "u")
        said += 1
      default: if let payload = try subscription.poll()?.payload { heard.append(payload) }
      }
    }
    heard += try subscription.payloads()
    // The order over topics is that of what was at hand.
    #expect(heard.count == said && Set(heard) == Set((0..<said).map(String.init)))
    #expect(subscription.losses == SubscriptionLosses() && warnings.list.isEmpty)
  }

  @Test(arguments: [true, false]) func aLiveSubscriberMissesNothing(_ inotify: Bool) throws {
    let options = FileBusOptions(
      pollInterval: .milliseconds(5), useInotify: inotify, rotateBytes: 2000)
    let bus = try scratch.bus(options)
    let other = try scratch.bus(options)
    let warnings = WarningList()
    let subscription = try bus.subscribe("t", options: warnings.options(.now))
    let count = 5000
    Processes.onThreads(3) { thread in
      guard thread == 2 else {
        let bus = thread == 0 ? bus : other
        for number in 0..<count { #expect((try? bus.say("\(number)", as: "\(thread)")) != nil) }
        return
      }
      var next = ["0": 0, "1": 0]
      for _ in 0..<2 * count {
        guard let envelope = try? subscription.receive(timeout: hangLimit)?.envelope else {
          Issue.record("nothing came after \(next)")
          return
        }
        guard envelope.payload.description == next[envelope.sender].map(String.init) else {
          Issue.record("\(envelope) instead of \(next)")
          return
        }
        next[envelope.sender, default: 0] += 1
      }
    }
    #expect(scratch.numbers().count > 100)
    #expect(subscription.losses == SubscriptionLosses() && warnings.list.isEmpty)
  }

  @Test func endsWithWhatWasThereWhenItWasClosed() throws {
    let bus = try scratch.bus()
    let other = try scratch.bus()
    try bus.say("1")
    try bus.rotate(topic)
    try bus.say("2")
    let subscriptions = try (0..<2).map { index in
      try bus.subscribe("", options: SubscriptionOptions(start: index == 0 ? .beginning : .now))
    }
    try other.say("3")
    #expect(try subscriptions[1].poll()?.payload == "3")
    try other.say("4")
    bus.close()
    try other.say("5")
    try other.rotate(topic)
    try other.say("6")
    try other.rotate(topic)
    #expect(try subscriptions[0].payloads() == ["1", "2", "3", "4"])
    #expect(try subscriptions[1].payloads() == ["4"])
    for subscription in subscriptions { #expect(subscription.isEnded) }
  }

  // MARK: Files that are none of ours

  @Test(.timeLimit(.minutes(10)), arguments: ["symlink", "fifo", "directory", "hard link"])
  func squattersArePassedOver(_ kind: String) throws {
    let bus = try scratch.bus()
    for number in 1...3 {
      try bus.say("\(number)")
      try bus.rotate(topic)
    }
    let (name, target) = (scratch.file("t", 2), "\(scratch.path)/target")
    Disk.write(target, Disk.read(name))
    #expect(unsafe unlink(name) == 0)
    switch kind {
    case "symlink": #expect(unsafe symlink(target, name) == 0)
    case "fifo": #expect(unsafe mkfifo(name, 0o600) == 0)
    case "directory": #expect(unsafe mkdir(name, 0o700) == 0)
    default: #expect(unsafe link(target, name) == 0)
    }
    try bus.say("4")
    let warnings = WarningList()
    let subscription = try bus.subscribe("t", options: warnings.options(.beginning))
    var gaps: [ClosedRange<UInt64>] = []
    var heard: [String] = []
    while let delivery = try subscription.poll() {
      if case .gap(let gap) = delivery { gaps.append(gap.seq) }
      heard += [delivery.payload].compactMap { $0 }
    }
    #expect(heard == ["1", "3", "4"] && gaps == [2...2])
    guard warnings.list.count == 1, case .unusableFile(let file, _) = warnings.list[0] else {
      Issue.record("\(warnings.list)")
      return
    }
    #expect(file == "t.jsonl.000002")
    let directory = try scratch.directory()
    #expect(try FileBus.unusableFiles(of: directory).map(\.path) == [name])
    #expect(try bus.rotate(topic) == 4)
    _ = try bus.compact(by: RetentionRules(standard: RetentionPolicy(count: 0)))
    bus.close()
    #expect(Disk.read(target).count > 10 && Disk.size(name) >= 0)
    #expect(try FileBus.clean(directory) == 1)
    #expect(Disk.size(name) >= 0)
  }

  @Test func statusAndCleanKnowAllFiles() throws {
    let bus = try scratch.bus(FileBusOptions(rotateBytes: 500))
    for number in 0..<20 { try bus.say("\(number)") }
    try bus.say("1", on: "u")
    try bus.rotate(Topic("u"))
    let others = ["t.jsonl.1", "t.jsonl.000001.gz", "t.jsonl.0000001"]
    for name in others { Disk.write("\(scratch.path)/bus/\(name)", [1]) }
    let numbers = scratch.numbers()
    let status = try FileBus.status(of: scratch.directory())
    #expect(status.map(\.topic.name) == ["t", "u"])
    let paths = numbers.map { scratch.file("t", $0) } + [scratch.file("t")]
    #expect(status[0].files == paths && status[0].path == scratch.file("t"))
    #expect(status[0].bytes == paths.reduce(0) { $0 + UInt64(Disk.size($1)) })
    #expect(status[1].files == [scratch.file("u", 1)])
    bus.close()
    #expect(try FileBus.clean(scratch.directory()) == numbers.count + 2)
    for name in others { #expect(Disk.size("\(scratch.path)/bus/\(name)") == 1) }
    #expect(try FileBus.status(of: scratch.directory()).isEmpty)
  }
}
