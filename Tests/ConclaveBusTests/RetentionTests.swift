import BusTesting
import ConclaveBus
import Glibc
import SharedRing
import Testing

/// What is removed, what is kept, and what readers are told.
@Suite struct RetentionTests {
  private let topic: Topic
  private let scratch = Scratch()

  init() throws { topic = try Topic("t") }

  private func rules(_ text: String) throws -> RetentionRules {
    let policy: RetentionPolicy = try #require(RetentionPolicy(text))
    return RetentionRules(standard: policy)
  }

  /// Files of three messages each, with numbers from 1 on, and nothing in the active one.
  private func publish(_ files: Int, on bus: FileBus, to topic: String = "t") throws {
    for file in 0..<files {
      for number in 0..<3 { try bus.say("\(file * 3 + number)", on: topic) }
      try bus.rotate(Topic(topic))
    }
  }

  private var sizes: [UInt64] {
    scratch.numbers().map { UInt64(Disk.size(scratch.file("t", $0))) }
  }

  @Test func withoutRulesNothingGoes() throws {
    let bus = try scratch.bus()
    try publish(4, on: bus)
    #expect(try bus.enforceRetention(now: Timestamp(nanosecondsSinceEpoch: .max)).isEmpty)
    #expect(try bus.compact(by: RetentionRules()).isEmpty)
    #expect(try bus.compact(by: RetentionRules(standard: RetentionPolicy())).isEmpty)
    #expect(scratch.numbers() == [1, 2, 3, 4])
  }

  /// Of each count as many messages as asked for stay, and no file that is not needed for that.
  @Test func byCount() throws {
    let bus = try scratch.bus()
    try publish(6, on: bus)
    for count in stride(from: 18, through: 4, by: -1) {
      let results = try bus.compact(by: rules("count=\(count)"))
      let left = (count + 2) / 3
      #expect(scratch.numbers() == Array((7 - left)...6))
      #expect(results.map(\.messages) == (count % 3 == 0 && count < 18 ? [3] : []))
    }
    try bus.say("18")
    // Two files and the new message are four messages.
    #expect(try bus.compact(by: rules("count=4")).map(\.isRotated) == [true])
    #expect(scratch.numbers() == [6, 7])
    #expect(try scratch.payloads() == ["15", "16", "17", "18"])
  }

  @Test func bySize() throws {
    let bus = try scratch.bus()
    try publish(6, on: bus)
    let sizes = self.sizes
    let last3 = sizes[3...].reduce(0, +)
    #expect(try bus.compact(by: rules("size=\(last3 + 1)")).map(\.files) == [2])
    #expect(scratch.numbers() == [3, 4, 5, 6])
    let results = try bus.compact(by: rules("size=\(last3)"))
    #expect(results.map(\.bytes) == [sizes[2]] && results.map(\.messages) == [3])
    #expect(scratch.numbers() == [4, 5, 6])
    // All of it: the last number stays, in an empty file.
    #expect(try bus.compact(by: rules("size=0")).map(\.files) == [3])
    #expect(scratch.numbers() == [6] && Disk.size(scratch.file("t", 6)) == 0)
    #expect(try bus.compact(by: rules("size=0")).isEmpty)
  }

  @Test func byAge() throws {
    let bus = try scratch.bus()
    try publish(4, on: bus)
    let ends = try scratch.numbers().compactMap {
      try Disk.envelopes(scratch.file("t", $0)).last?.timestamp.nanosecondsSinceEpoch
    }
    let day: UInt64 = 86_400_000_000_000
    for index in 0..<4 {
      let rules = try rules("age=1d")
      let (just, after) = (ends[index] + day, ends[index] + day + 1)
      #expect(try bus.compact(by: rules, now: .init(nanosecondsSinceEpoch: just)).isEmpty)
      #expect(try bus.compact(by: rules, now: .init(nanosecondsSinceEpoch: after)).count == 1)
    }
    #expect(sizes == [0])
    // A file whose end is no message is as old as its last change.
    try bus.say("1")
    Disk.append(scratch.file("t"), "garbage\n")
    try bus.rotate(topic)
    #expect(try bus.compact(by: rules("age=1d")).isEmpty)
    let later = Timestamp(nanosecondsSinceEpoch: Timestamp.now().nanosecondsSinceEpoch + 2 * day)
    #expect(try bus.compact(by: rules("age=1d"), now: later).map(\.messages) == [2])
  }

  /// A limit that is exceeded is enough, whatever the others allow.
  @Test func byWhatIsExceededFirst() throws {
    let bus = try scratch.bus()
    try publish(4, on: bus)
    #expect(try bus.compact(by: rules("age=1d,size=1GiB,count=1000")).isEmpty)
    #expect(try bus.compact(by: rules("age=1d,size=1GiB,count=9")).map(\.files) == [1])
    #expect(try bus.compact(by: rules("age=1d,size=1,count=1000")).map(\.files) == [2])
    #expect(scratch.numbers() == [4])
  }

  @Test func thePrefixDecides() throws {
    var rules = try rules("count=3")
    rules.rules = [
      .init(prefix: try TopicPrefix("a"), policy: RetentionPolicy()),
      .init(prefix: try TopicPrefix("a.b"), policy: RetentionPolicy(count: 6)),
    ]
    let bus = try scratch.bus(FileBusOptions(retention: rules))
    for topic in ["t", "a", "a.b.c", "ab"] { try publish(4, on: bus, to: topic) }
    let results = try bus.enforceRetention()
    #expect(scratch.numbers("t") == [4] && scratch.numbers("ab") == [4])
    #expect(scratch.numbers("a") == [1, 2, 3, 4] && scratch.numbers("a.b.c") == [3, 4])
    #expect(Set(results.map(\.topic.name)).isSubset(of: ["t", "ab", "a.b.c"]))
    let only = RetentionRules(
      rules: [.init(prefix: try TopicPrefix("a"), policy: RetentionPolicy(count: 1))])
    #expect(try bus.compact(by: only).map(\.topic.name) == ["a", "a.b.c"])
    #expect(scratch.numbers("t") == [4])
  }

  /// The active file does not hold what a limit forbids for long.
  @Test func rotatesWhatIsLarge() throws {
    let bus = try scratch.bus()
    let enforcer = try scratch.bus(
      FileBusOptions(retention: RetentionRules(standard: RetentionPolicy(count: 80))))
    for number in 0..<9 { try bus.say("\(number)") }
    #expect(try enforcer.enforceRetention().isEmpty)
    try bus.say("9")
    let results = try enforcer.enforceRetention()
    #expect(results.map(\.isRotated) == [true] && results.map(\.files) == [0])
    for number in 10..<200 {
      try bus.say("\(number)")
      try enforcer.enforceRetention()
      #expect(try (min(80, number + 1)...90).contains(scratch.payloads().count))
    }
    let old = try scratch.bus(
      FileBusOptions(retention: RetentionRules(standard: RetentionPolicy(age: .seconds(80)))))
    try bus.say("200")
    let now = Timestamp.now().nanosecondsSinceEpoch
    let soon = Timestamp(nanosecondsSinceEpoch: now + 5_000_000_000)
    let later = Timestamp(nanosecondsSinceEpoch: now + 11_000_000_000)
    #expect(try old.enforceRetention(now: soon).isEmpty)
    #expect(try old.enforceRetention(now: later).map(\.isRotated) == [true])
  }

  /// Numbers go on although all files were removed, also for somebody who comes later.
  @Test func noNumberComesAgain() throws {
    for round in 1...5 {
      let bus = try scratch.bus()
      try bus.say("\(round)")
      #expect(try bus.rotate(topic) == UInt64(round))
      #expect(try bus.compact(by: rules("count=0")).map(\.messages) == [1])
      #expect(scratch.numbers() == [round])
    }
  }

  @Test func happensByItself() throws {
    let bus = try scratch.bus(
      FileBusOptions(retention: try rules("count=100"), rotateBytes: 2000))
    let deadline = ContinuousClock.now + hangLimit
    var said = 0
    while scratch.numbers().contains(1) || said < 200 {
      try #require(ContinuousClock.now < deadline)
      try bus.say("\(said)")
      said += 1
      usleep(1000)
    }
    // Files may still be removed while they are read.
    var left: [String] = []
    var files: [Int] = []
    repeat {
      files = scratch.numbers()
      left = try scratch.payloads()
    } while files != scratch.numbers()
    #expect(left.count >= 100 && left == (said - left.count..<said).map(String.init))
  }

  // MARK: Readers

  @Test func whoIsInTheMiddleOfAFileFinishesIt() throws {
    let bus = try scratch.bus()
    let warnings = WarningList()
    for number in 0..<10 { try bus.say("\(number)") }
    let subscriptions = try (0..<2).map { _ in
      try bus.subscribe("t", options: warnings.options(.beginning))
    }
    // One is in the middle; the other has opened the file.
    #expect(try subscriptions[0].drain(limit: 5, onGap: { _ in }, onMessage: { _, _ in }) == 5)
    #expect(try bus.compact(by: rules("count=0")).map(\.messages) == [10])
    try bus.say("10")
    for (index, subscription) in subscriptions.enumerated() {
      #expect(try subscription.payloads() == ((index == 0 ? 5 : 0)..<11).map(String.init))
      #expect(subscription.losses == SubscriptionLosses())
    }
    // Rotated and removed several times between two looks.
    for number in 11..<14 {
      try bus.say("\(number)")
      #expect(try subscriptions[0].payloads() == ["\(number)"])
      #expect(try bus.compact(by: rules("count=0")).count == 1)
    }
    #expect(warnings.list.isEmpty)
  }

  @Test func whoComesTooLateIsTold() throws {
    let bus = try scratch.bus()
    let warnings = WarningList()
    try publish(2, on: bus)
    let subscription = try bus.subscribe("t", options: warnings.options(.beginning))
    // No more is read than this one, and the beginning of the next.
    #expect(try subscription.drain(limit: 1, onGap: { _ in }, onMessage: { _, _ in }) == 1)
    try publish(4, on: bus)
    #expect(try bus.compact(by: rules("count=3")).map(\.files) == [5])
    var gaps: [ClosedRange<UInt64>] = []
    var heard: [String] = []
    while let delivery = try subscription.poll() {
      if case .gap(let gap) = delivery {
        #expect(gap.reason == .removed)
        gaps.append(gap.seq)
      }
      heard += [delivery.payload].compactMap { $0 }
    }
    // The file that was open, and the one that is left.
    #expect(heard == ["1", "2", "9", "10", "11"] && gaps == [4...15])
    #expect(warnings.list == [.filesRemoved(topic: topic, numbers: 2...5)])
    // The last file, too.
    try publish(1, on: bus)
    #expect(try bus.compact(by: rules("count=0")).map(\.files) == [2])
    try bus.say("\"last\"")
    let rest = try subscription.take(2)
    guard case .gap(let gap)? = rest.first else {
      Issue.record("\(rest)")
      return
    }
    #expect(gap.seq == 19...21 && rest.last?.payload == "\"last\"")
    #expect(warnings.list.last == .filesRemoved(topic: topic, numbers: 7...7))
    #expect(warnings.list.count == 2)
    // A new subscription begins with what is there, and is told that there was more.
    let fresh = try bus.subscribe("t", options: warnings.options(.beginning))
    #expect(try fresh.payloads() == ["\"last\""])
    #expect(fresh.losses == SubscriptionLosses() && warnings.list.count == 3)
    #expect(warnings.list.last == .messagesRemoved(topic: topic, places: .max))
  }

  @Test func nowMeansNowWhereFilesAreMissing() throws {
    let bus = try scratch.bus()
    try publish(3, on: bus)
    #expect(try bus.compact(by: rules("count=3")).map(\.files) == [2])
    let warnings = WarningList()
    let subscription = try bus.subscribe("", options: warnings.options(.now))
    try bus.say("\"new\"")
    #expect(try subscription.payloads() == ["\"new\""])
    #expect(subscription.losses == SubscriptionLosses() && warnings.list.isEmpty)
  }

  // MARK: The hook for durable subscriptions

  @Test func theGuardIsAskedAndWarned() throws {
    let asked = Lock<[RetiredTopicFile]>([])
    let warnings = WarningList()
    var options = FileBusOptions(
      retention: try rules("count=3"), onWarning: { warnings.add($0) })
    options.retentionGuard = { file in
      asked.withLock { $0.append(file) }
      return file.number == 2 ? ["b", "a"] : []
    }
    let bus = try scratch.bus(options)
    try publish(3, on: bus)
    let last = try Disk.envelopes(scratch.file("t", 2)).last
    // Enforced by hand, or by itself a moment before.
    try bus.enforceRetention()
    let files = asked.withLock { $0 }
    #expect(files.map(\.number) == [1, 2])
    #expect(files.last?.lastID == last?.id && files.last?.lastTimestamp == last?.timestamp)
    #expect(files.last?.lastPosition == nil && files.last?.topic == topic)
    let expected = ["b", "a"].map { BusWarning.retentionOvertook(subscription: $0, topic: topic) }
    #expect(warnings.list == expected)
  }

  @Test func theGreatestPositionIsFound() throws {
    let asked = Lock<[UInt64?]>([])
    var options = FileBusOptions()
    options.retentionGuard = { file in
      asked.withLock { $0.append(file.lastPosition) }
      return []
    }
    let bus = try scratch.bus(options)
    try bus.say("1")
    let line = String(decoding: Disk.lines(scratch.file("t"))[0].dropLast(), as: UTF8.self)
    Disk.append(scratch.file("t"), "\(line),\"position\":7}\n\(line),\"position\":9}\n\(line)}\n")
    try bus.rotate(topic)
    try bus.say("2")
    Disk.append(scratch.file("t"), "\(line),\"position\":12}\n")
    #expect(try bus.compact(by: rules("count=0")).map(\.messages) == [6])
    #expect(asked.withLock { $0 } == [9, 12])
  }

  // MARK: Looking only

  @Test func aDryRunSaysWhatWouldBeDone() throws {
    let bus = try scratch.bus()
    try publish(3, on: bus)
    try bus.say("9")
    bus.close()
    let directory = try scratch.directory()
    for text in ["count=4", "count=1", "size=1", "count=0", "age=1w"] {
      let dry = try FileBus.compaction(of: directory, by: rules(text))
      let before = scratch.numbers()
      #expect(try FileBus.compaction(of: directory, by: rules(text)) == dry)
      #expect(scratch.numbers() == before)
      let real = try scratch.bus().compact(by: rules(text))
      #expect(real == dry)
      try scratch.bus().say("9")
    }
  }

  @Test func oneAtATimeEnforces() throws {
    let bus = try scratch.bus(FileBusOptions(lockPatience: .milliseconds(50)))
    try publish(3, on: bus)
    let path = "\(scratch.path)/bus/.retention.lock"
    let holder = unsafe open(path, O_RDWR | O_CREAT, 0o600)
    defer { close(holder) }
    #expect(flock(holder, LOCK_EX) == 0)
    #expect { try bus.compact(by: rules("count=3")) } throws: { ($0 as? BusError)?.code == .busy }
    #expect(flock(holder, LOCK_UN) == 0)
    // Left over by somebody who was killed in the middle.
    Disk.write("\(scratch.path)/bus/.retention.empty", [1, 2, 3])
    #expect(try bus.compact(by: rules("count=0")).map(\.files) == [3])
    #expect(sizes == [0])
  }
}
