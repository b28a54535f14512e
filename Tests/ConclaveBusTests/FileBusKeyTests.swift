import Glibc
import Testing

@testable import ConclaveBus

/// Messages with idempotency keys in topic files.
@Suite struct FileBusKeyTests {
  private let scratch = Scratch()
  private let topic: Topic

  init() throws { topic = try Topic("t") }

  private func message(_ payload: String, _ key: String?) throws -> Message {
    Message(
      type: "test", sender: "a", payload: try RawJSON(payload),
      idempotencyKey: try key.map { try IdempotencyKey($0) })
  }

  private func lines() throws -> [String] {
    try Disk.envelopes(scratch.file("t")).map {
      "\($0.seq) \($0.payload)" + ($0.idempotencyKey.map { " \($0)" } ?? "")
    }
  }

  /// A publisher that died: after its intent, or after its message.
  private func die(with key: String, _ directory: OwnedDescriptor, published: Bool) throws {
    let index = try IdempotencyIndex(in: directory)
    guard
      let claim = try index.claim(
        [IdempotencyKey(key)], topic: topic, wait: .blocking,
        wasPublished: { _ throws(BusError) in nil }), let id = claim.ids[0]
    else { throw BusError(.busy, "taken") }
    guard published else { return }
    let envelope = Envelope(
      id: id, seq: 1, timestamp: .now(), sender: "dead", topic: topic, type: "test",
      payload: try RawJSON("\"its\""), idempotencyKey: try IdempotencyKey(key))
    Disk.write(scratch.file("t"), envelope.jsonLine() + [0x0A], append: true)
  }

  private func openDirectory() throws -> OwnedDescriptor {
    try scratch.directory().open()
  }

  @Test func aBatchLeavesOutWhatIsThere() throws {
    let bus = try scratch.bus()
    let batch = try [
      message("1", "x"), message("2", nil), message("3", "y\"\\é"), message("4", "x"),
      message("2", nil),
    ]
    #expect(try bus.publish(batch, to: topic, wait: .blocking) == 5)
    #expect(try bus.publish(batch, to: topic, wait: .never) == 5)
    try bus.publish(message("5", "x"), to: topic)
    try bus.publish(message("6", "z"), to: topic)
    let expected = ["1 1 x", "2 2", "3 3 y\"\\é", "4 2", "5 2", "6 2", "7 6 z"]
    #expect(try lines() == expected)
    // In another process, and after a restart.
    let later = try scratch.bus()
    #expect(try later.publish([batch[0], batch[2]], to: topic, wait: .blocking) == 2)
    #expect(try lines() == expected)

    let reader = try bus.subscribe("t", options: SubscriptionOptions(start: .beginning))
    let read = try reader.take(7).map { $0.envelope?.idempotencyKey?.text }
    #expect(read == ["x", nil, "y\"\\é", nil, nil, nil, "z"])
  }

  @Test func whoUsesNoKeysPaysNothing() throws {
    let bus = try scratch.bus()
    try bus.say("1")
    #expect(unsafe access("\(scratch.path)/bus/.keys", F_OK) != 0)
    try bus.publish(message("2", "x"), to: topic)
    #expect(unsafe access("\(scratch.path)/bus/.keys/index", F_OK) == 0)
  }

  @Test func whatTheDeadPublishedIsNotRepeated() throws {
    let bus = try scratch.bus()
    try bus.say("0")
    try die(with: "there", openDirectory(), published: true)
    try die(with: "lost", openDirectory(), published: false)
    for _ in 0..<2 {
      try bus.publish(message("1", "there"), to: topic)
      try bus.publish(message("2", "lost"), to: topic)
    }
    #expect(try lines() == ["1 0", "1 \"its\" there", "2 2 lost"])
  }

  /// The key in a payload, or in an older message whose time is up, is another message's.
  @Test func theKeyAloneProvesNothing() throws {
    let bus = try scratch.bus(
      FileBusOptions(idempotency: IdempotencyOptions(window: .seconds(600), capacity: 1)))
    try bus.publish(message("1", "k"), to: topic)
    try bus.publish(message("2", "other"), to: topic)
    try die(with: "k", openDirectory(), published: false)
    try bus.publish(message(#"{"idempotencyKey":"k"}"#, nil), to: topic)
    try bus.publish(message("4", "k"), to: topic)
    #expect(try lines().last == "4 4 k")
  }

  /// The message of a publisher that died while it wrote is cut off, and published again.
  @Test func aTornLineIsNotAMessage() throws {
    let bus = try scratch.bus()
    try bus.say("0")
    try die(with: "k", openDirectory(), published: true)
    let size = Disk.size(scratch.file("t"))
    #expect(unsafe truncate(scratch.file("t"), size - 1) == 0)
    try bus.publish(message("1", "k"), to: topic)
    #expect(try lines() == ["1 0", "2 1 k"])
    #expect(bus.tornTails == 1)
  }

  /// A message is found behind any number of others, and long lines do not hide it.
  @Test(arguments: [0, 1, 1000])
  func theSearchGoesFarEnough(_ others: Int) throws {
    let bus = try scratch.bus()
    let long = "\"" + String(repeating: "x", count: 300_000) + "\""
    try bus.say(long)
    try die(with: "k", openDirectory(), published: true)
    for number in 0..<others { try bus.say("\(number)") }
    try bus.say(long)
    try bus.say(long)
    try bus.publish(message("1", "k"), to: topic)
    #expect(Disk.lines(scratch.file("t")).count == others + 4)
  }

  /// The search ends where the file becomes older than what is looked for.
  @Test func theSearchEnds() throws {
    let directory = try openDirectory()
    var lines: [UInt8] = []
    let now = Timestamp.now().nanosecondsSinceEpoch
    for age in stride(from: UInt64(20_000), to: 0, by: -5) {
      let envelope = Envelope(
        id: MessageID(process: 1, counter: age), seq: 1,
        timestamp: Timestamp(nanosecondsSinceEpoch: now - age * 1_000_000_000), sender: "a",
        topic: topic, type: "x", payload: .text(String(repeating: "x", count: 1000)),
        idempotencyKey: try IdempotencyKey("\(age)"))
      lines += envelope.jsonLine() + [0x0A]
    }
    Disk.write(scratch.file("t"), lines)
    let file = try TopicFile.open("t.jsonl", in: directory, flags: O_RDONLY).descriptor
    func search(_ key: String, secondsAgo: UInt64) throws -> KeySearch.Outcome {
      let doubt = IdempotencyIndex.Doubt(
        key: try IdempotencyKey(key), topic: topic, id: nil,
        since: Timestamp(nanosecondsSinceEpoch: now - secondsAgo * 1_000_000_000))
      var search = KeySearch(doubt, lineLimit: 1 << 20)
      return try search.search(file, size: UInt64(lines.count))
    }
    #expect(try search("100", secondsAgo: 100) == .found(MessageID(process: 1, counter: 100)))
    // Older than the intent, so of another publish with the same key.
    #expect(try search("100", secondsAgo: 99) == .reachedOlder)
    #expect(try search("20000", secondsAgo: 100) == .reachedOlder)
    // By an hour either way the clock may have been off meanwhile.
    #expect(try search("none", secondsAgo: 12_700) == .reachedOlder)
    #expect(try search("none", secondsAgo: 12_800) == .reachedBeginning)
    let oldest = try search("20000", secondsAgo: 20_000)
    #expect(oldest == .found(MessageID(process: 1, counter: 20_000)))
    #expect(try search("none", secondsAgo: 25_000) == .reachedBeginning)
  }

  @Test func cleaningForgetsTheKeys() throws {
    do {
      let bus = try scratch.bus()
      try bus.publish(message("1", "k"), to: topic)
      bus.close()
    }
    #expect(try FileBus.clean(scratch.directory()) == 1)
    #expect(unsafe access("\(scratch.path)/bus/.keys", F_OK) != 0)
    try scratch.bus().publish(message("2", "k"), to: topic)
    #expect(try lines() == ["1 2 k"])
  }

  @Test func aFailureSaysWhatIsThere() throws {
    let bus = try scratch.bus(FileBusOptions(lockPatience: .milliseconds(50)))
    let first = try [message("1", "a"), message("2", "b")]
    #expect(try bus.publish(first, to: topic, wait: .blocking) == 2)
    let holder = unsafe open(scratch.file("t"), O_RDWR | O_CLOEXEC)
    #expect(flock(holder, LOCK_EX) == 0)
    let batch = try [message("1", "a"), message("2", "b"), message("3", "c"), message("4", "d")]
    let failure = #expect(throws: PublishFailure.self) {
      try bus.publish(batch, to: topic, wait: .blocking)
    }
    #expect(failure?.cause.code == .busy && failure?.published == 2)
    #expect(try bus.publish(batch, to: topic, wait: .never) == 2)
    #expect(try bus.publish([batch[0]], to: topic, wait: .never) == 1)
    close(holder)
    #expect(try bus.publish(batch, to: topic, wait: .never) == 4)
    #expect(try lines() == ["1 1 a", "2 2 b", "3 3 c", "4 4 d"])
  }

  @Test(arguments: ["", "a\nb", "\u{7F}", String(repeating: "é", count: 101)])
  func malformedKeysAreRefused(_ text: String) {
    let error = #expect(throws: BusError.self) { try IdempotencyKey(text) }
    #expect(error?.code == .invalidName && error?.hint.isEmpty == false)
  }

  @Test func malformedKeysInLinesAreRefused() throws {
    let message = try Envelope(
      id: MessageID(process: 1, counter: 1), seq: 1, timestamp: .now(), sender: "a", topic: topic,
      type: "x", payload: RawJSON("1"), idempotencyKey: IdempotencyKey("KEY"))
    let line = String(decoding: message.jsonLine(), as: UTF8.self)
    func decoded(_ key: String) -> IdempotencyKey? {
      let line = Array(line.replacing("\"KEY\"", with: key).utf8)
      return (try? unsafe Envelope(jsonLine: line.span.bytes))?.idempotencyKey
    }
    #expect(decoded("\"KEY\"")?.text == "KEY" && decoded(#""\u004b\"""#)?.text == "K\"")
    for bad in ["\"\"", "1", "null", #""\n""#, "\"" + String(repeating: "k", count: 201) + "\""] {
      #expect(decoded(bad) == nil)
    }
    #expect(decoded("\"KEY\",\"idempotencyKey\":\"L\"") == nil)
  }
}
