import Glibc
import Testing

@testable import ConclaveBus

/// What is in the files, whatever happens to those who write them.
@Suite struct FileBusWritingTests {
  @Test func appendsOneLinePerMessage() throws {
    let scratch = Scratch()
    let bus = try scratch.bus()
    try bus.say(#"{"n":1}"#)
    try bus.say("2", as: "b")
    try bus.say("3")
    let envelopes = try Disk.envelopes(scratch.file("t"))
    #expect(envelopes.map(\.payload.description) == [#"{"n":1}"#, "2", "3"])
    #expect(envelopes.map(\.seq) == [1, 1, 2])
    #expect(envelopes.map(\.sender) == ["a", "b", "a"])
    #expect(Set(envelopes.map(\.incarnation)) == [bus.incarnation])
    #expect(envelopes.map(\.id.process) == [UInt32](repeating: UInt32(getpid()), count: 3))
    #expect(zip(envelopes, envelopes.dropFirst()).allSatisfy { $0.timestamp <= $1.timestamp })
    #expect(zip(envelopes, envelopes.dropFirst()).allSatisfy { $0.id.counter < $1.id.counter })
  }

  @Test func appendsEnvelopesAsTheyAre() throws {
    let scratch = Scratch()
    let bus = try scratch.bus()
    let topic = try Topic("t")
    let envelopes = try (1...5).map { number in
      Envelope(
        id: MessageID(process: 7, counter: UInt64(number)), seq: UInt64(number) * 10,
        timestamp: Timestamp(nanosecondsSinceEpoch: UInt64(number)), sender: "\"", topic: topic,
        type: "x", payload: try RawJSON("[\n\(number)]"), incarnation: 3,
        position: UInt64(number) << 40)
    }
    var batch = LineBatch()
    for envelope in envelopes { envelope.lend { batch.append($0, payload: $1) } }
    let count = bus.appender(for: topic).append(prepared: &batch).published
    #expect(batch.count == 0)
    #expect(try count == 5 && Disk.envelopes(scratch.file("t")) == envelopes)
    let subscription = try bus.subscribe("t", options: SubscriptionOptions(start: .beginning))
    #expect(try subscription.take(1).first?.envelope == envelopes[0])
    #expect(try subscription.take(1).first?.envelope == nil)
    #expect(try subscription.take(1).first?.envelope == envelopes[1])
  }

  @Test func cutsOffATornTailAtEveryByte() throws {
    let scratch = Scratch()
    try scratch.bus().say(#"{"text":"first"}"#)
    let first = Disk.read(scratch.file("t"))
    try scratch.bus().say(#"{"text":"second"}"#)
    let both = Disk.read(scratch.file("t"))
    for length in first.count..<both.count {
      Disk.write(scratch.file("t"), Array(both[..<length]))
      let bus = try scratch.bus()
      try bus.say(#"{"text":"third"}"#)
      let lines = Disk.lines(scratch.file("t"))
      #expect(lines.count == 2 && lines[0] == Array(first.dropLast()))
      #expect(try Disk.envelopes(scratch.file("t"))[1].payload.description == #"{"text":"third"}"#)
      #expect(bus.tornTails == (length == first.count ? 0 : 1))
    }
  }

  @Test(arguments: [1, 4096, 65536, 200_000]) func cutsOffZeros(_ count: Int) throws {
    let scratch = Scratch()
    let bus = try scratch.bus()
    try bus.say("1")
    let good = Disk.read(scratch.file("t"))
    Disk.write(scratch.file("t"), [UInt8](repeating: 0, count: count), append: true)
    try bus.say("2")
    #expect(bus.tornTails == 1)
    #expect(Disk.read(scratch.file("t")).starts(with: good))
    #expect(Disk.lines(scratch.file("t")).count == 2)
    // A file of nothing else.
    Disk.write(scratch.file("u"), [UInt8](repeating: 0, count: count))
    try bus.say("3", on: "u")
    #expect(Disk.lines(scratch.file("u")).count == 1)
  }

  @Test func writesToTheFileThatBearsTheName() throws {
    let scratch = Scratch()
    let bus = try scratch.bus()
    try bus.say("1")
    #expect(unsafe rename(scratch.file("t"), scratch.file("old")) == 0)
    try bus.say("2")
    #expect(Disk.lines(scratch.file("old")).count == 1 && Disk.lines(scratch.file("t")).count == 1)
    #expect(unsafe unlink(scratch.file("t")) == 0)
    try bus.say("3")
    #expect(try Disk.envelopes(scratch.file("t")).map(\.seq) == [3])
  }

  @Test(
    .timeLimit(.minutes(10)), arguments: ["symlink", "dangling", "fifo", "directory", "hard link"])
  func refusesSquattersWithoutBlocking(_ kind: String) throws {
    let scratch = Scratch()
    let bus = try scratch.bus()
    let target = "\(scratch.path)/target"
    Disk.write(target, Array("precious\n".utf8))
    let name = scratch.file("t")
    switch kind {
    case "symlink": #expect(unsafe symlink(target, name) == 0)
    case "dangling": #expect(unsafe symlink("\(target)-not", name) == 0)
    case "fifo": #expect(unsafe mkfifo(name, 0o600) == 0)
    case "directory": #expect(unsafe mkdir(name, 0o700) == 0)
    default: #expect(unsafe link(target, name) == 0)
    }
    #expect { try bus.say("1") } throws: { ($0 as? BusError)?.code == .incompatible }
    #expect(Disk.read(target) == Array("precious\n".utf8) && Disk.size("\(target)-not") == -1)

    // A reader skips it, says so once, and still reads the others.
    let subscription = try bus.subscribe("", options: SubscriptionOptions(start: .beginning))
    try bus.say("2", on: "u")
    #expect(try subscription.take(1).map(\.payload) == ["2"])
    try bus.say("3", on: "u")
    #expect(try subscription.take(1).map(\.payload) == ["3"])
    #expect(subscription.losses.damaged == 1)
  }

  @Test func aFullDiskLeavesWholeLinesOnly() async {
    await #expect(processExitsWith: .success) {
      let scratch = Scratch()
      let bus = try scratch.bus()
      try bus.say("0")
      let line = Disk.size(scratch.file("t"))
      // Room for a few lines and a half: what the disk says when it is full, and a write cut short.
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit()
      try #require(unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
      let unlimited = limit.rlim_cur
      limit.rlim_cur = rlim_t(line * 4 + line / 2)
      try #require(unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)

      let topic = try Topic("t")
      let payload = try RawJSON("0")
      let batch = [Message](
        repeating: Message(type: "test", sender: "a", payload: payload), count: 10)
      do throws(PublishFailure) {
        _ = try bus.publish(batch, to: topic, wait: .blocking)
        Issue.record("there was room")
      } catch {
        #expect(error.cause.code == .noSpace)
        #expect(error.published == Disk.lines(scratch.file("t")).count - 1)
        #expect((1...4).contains(error.published))
      }
      // Nothing is torn, and again nothing is published that does not fit.
      #expect(Disk.read(scratch.file("t")).last == 0x0A)
      #expect { try bus.say(#""\#(String(repeating: "x", count: 4096))""#) } throws: {
        ($0 as? BusError)?.code == .noSpace
      }
      let before = Disk.lines(scratch.file("t")).count
      #expect(Disk.read(scratch.file("t")).last == 0x0A)

      // With room again, numbers go on without a hole.
      limit.rlim_cur = unlimited
      try #require(unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
      try bus.say("9")
      let numbers = try Disk.envelopes(scratch.file("t")).map(\.seq)
      #expect(numbers == Array(1...UInt64(before + 1)) && bus.tornTails == 0)
    }
  }

  @Test func fileOrderIsNumberOrder() throws {
    let scratch = Scratch()
    let bus = try scratch.bus()
    let other = try scratch.bus()
    let topic = try Topic("t")
    // All write as the same two senders, through two objects.
    Processes.onThreads(8) { writer in
      let message = Message(type: "test", sender: "s\(writer % 2)", payload: .text("x"))
      let bus = writer < 4 ? bus : other
      for round in 0..<200 {
        let batch = [Message](repeating: message, count: round % 5 + 1)
        #expect((try? bus.publish(batch, to: topic, wait: .blocking)) == batch.count)
      }
    }
    var next: [String: UInt64] = [:]
    var last = Timestamp(nanosecondsSinceEpoch: 0)
    for envelope in try Disk.envelopes(scratch.file("t")) {
      let stream = "\(envelope.incarnation) \(envelope.sender)"
      #expect(envelope.seq == next[stream, default: 1] && envelope.timestamp >= last)
      next[stream] = envelope.seq + 1
      last = envelope.timestamp
    }
    #expect(next.count == 4 && next.values.allSatisfy { $0 == 1201 })
  }

  @Test(arguments: [FileBusOptions.SyncPolicy.everyPublish, .grouped(interval: .milliseconds(5))])
  func syncsAsAsked(_ policy: FileBusOptions.SyncPolicy) throws {
    let scratch = Scratch()
    let bus = try scratch.bus(FileBusOptions(syncPolicy: policy))
    for number in 0..<20 { try bus.say("\(number)") }
    try bus.synchronize()
    bus.close()
    #expect(Disk.lines(scratch.file("t")).count == 20)
  }

  @Test func refusesWhatIsTooLarge() throws {
    let scratch = Scratch()
    let bus = try scratch.bus(FileBusOptions(messageLimit: 1000))
    let payload = { (count: Int) in #""\#(String(repeating: "x", count: count - 2))""# }
    try bus.say(payload(1000))
    #expect { try bus.say(payload(1001)) } throws: { ($0 as? BusError)?.code == .messageTooLarge }
    let publisher = try bus.publisher(topic: Topic("t"), sender: "a", type: "x")
    #expect { try publisher.publish(RawJSON(payload(1001))) } throws: {
      ($0 as? BusError)?.code == .messageTooLarge
    }
    #expect(Disk.lines(scratch.file("t")).count == 1)
  }

  @Test func neverWaitsForAStoppedHolderUnlessAskedTo() throws {
    let scratch = Scratch()
    let bus = try scratch.bus()
    try bus.say("1")
    let holder = unsafe open(scratch.file("t"), O_RDWR)
    defer { close(holder) }
    #expect(flock(holder, LOCK_EX) == 0)
    let publisher = try bus.publisher(topic: Topic("t"), sender: "a", type: "x")
    #expect(try !publisher.tryPublish(RawJSON("2")))
    #expect(flock(holder, LOCK_UN) == 0)
    #expect(try publisher.tryPublish(RawJSON("3")))
    #expect(try Disk.envelopes(scratch.file("t")).map(\.seq) == [1, 2])
  }

  /// A holder that was stopped is waited for, but not for ever, and named.
  @Test func aStoppedHolderIsNamed() throws {
    let scratch = Scratch()
    let bus = try scratch.bus(FileBusOptions(lockPatience: .milliseconds(100)))
    try bus.say("1")
    let holder = unsafe open(scratch.file("t"), O_RDWR)
    defer { close(holder) }
    #expect(flock(holder, LOCK_EX) == 0)
    let publisher = try bus.publisher(topic: Topic("t"), sender: "a", type: "x")
    let error = #expect(throws: BusError.self) { try publisher.publish(RawJSON("2")) }
    #expect(error?.code == .busy)
    #expect(error?.message.contains("process \(getpid())") == true)
    #expect(flock(holder, LOCK_UN) == 0)
    try publisher.publish(RawJSON("3"))
    #expect(try Disk.envelopes(scratch.file("t")).map(\.seq) == [1, 2])
  }

  @Test func aChildOfAForkIsRefused() async {
    await #expect(processExitsWith: .success) {
      let scratch = Scratch()
      let bus = try scratch.bus()
      try bus.say("1")
      let child = Processes.fork()
      if child == 0 {
        var code: BusError.Code?
        do throws(BusError) { try bus.say("2") } catch { code = error.code }
        _exit(code == .forked ? 0 : 1)
      }
      var status: Int32 = 0
      #expect(unsafe waitpid(child, &status, 0) == child && status == 0)
      try bus.say("3")
      #expect(Disk.lines(scratch.file("t")).count == 2)
    }
  }
}
