import BusTesting
import Glibc
import SharedRing
import Testing

@testable import ConclaveBus

/// Names, files and folders that are not what they should be.
@Suite struct DurableFileTests {
  private func code(_ body: () throws(BusError) -> Void) -> BusError.Code? {
    do throws(BusError) {
      try body()
      return nil
    } catch { return error.code }
  }

  @Test func namesAreChecked() throws {
    for wrong in [
      "", "a/b", "../a", ".", "a.", ".a", "a..b", "a b", "ä", "a\0", "a~",
      String(repeating: "a", count: 101),
    ] {
      #expect(
        code { () throws(BusError) in _ = try DurableName(wrong) } == .invalidName, "\(wrong)")
    }
    for right in ["a", "A-1_b.c", String(repeating: "a", count: 100), "n.journal", "n.lock"] {
      #expect(try DurableName(right).deadLetters.name == "dead-letter.\(right)")
    }
  }

  @Test func aPrefixBelongsToTheName() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    try bus.subscribe(durable: "n", to: "a").close()
    #expect(
      code { () throws(BusError) in _ = try bus.subscribe(durable: "n", to: "b") } == .incompatible)
    _ = try bus.subscribe(durable: "n", to: "a")
    _ = try bus.subscribe(durable: "n.m", to: "b")
    let status = try MirroredBus.durableSubscriptions(of: fixture.directory)
    #expect(status.map(\.name) == ["n", "n.m"] && status.map(\.prefix) == ["a", "b"])
  }

  @Test func aDamagedJournalIsReportedAndKept() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    try bus.subscribe(durable: "other").close()
    let subscription = try bus.subscribe(durable: "n")
    try bus.say(0..<20)
    try subscription.acknowledge(upTo: #require(subscription.take(5).last))
    let path = "\(fixture.directory.path)/.durable/n.journal"
    var bytes = Disk.read(path)
    bytes[40] ^= 1
    Disk.write(path, bytes)
    #expect(
      code { () throws(BusError) in _ = try bus.subscribe(durable: "n") } == .corrupt)
    #expect(Disk.read(path) == bytes)
    let status = try MirroredBus.durableSubscriptions(of: fixture.directory)
    #expect(status.map { $0.failure?.code } == [.corrupt, nil])
    #expect(try #require(status[0].failure).hint.contains("remove that file"))
    // A member that has it open notices nothing of what it has read, but a change of the file.
    Disk.write(path, [])
    #expect(code { () throws(BusError) in try subscription.acknowledge(position: 9) } == .corrupt)
    unsafe unlink(path)
    #expect(code { () throws(BusError) in try subscription.acknowledge(position: 9) } == .notFound)
    #expect(code { () throws(BusError) in _ = try subscription.take(50) } == .notFound)
    // Removed deliberately it begins anew.
    subscription.close()
    let fresh = try bus.subscribe(durable: "n", options: DurableOptions(start: .beginning))
    #expect(try fresh.take(20).count == 20)
  }

  /// What is left of it is all in order, but it must not be begun anew in silence.
  @Test(arguments: [1, 2])
  func aJournalThatWasCutOffIsReported(_ lines: Int) throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let subscription = try bus.subscribe(durable: "n")
    try bus.say(0..<20)
    try subscription.acknowledge(upTo: #require(subscription.take(5).last))
    subscription.close()
    let path = "\(fixture.directory.path)/.durable/n.journal"
    let rest: [UInt8] = Disk.lines(path).prefix(lines).flatMap { $0 + [0x0A] }
    Disk.write(path, rest)
    #expect(code { () throws(BusError) in _ = try bus.subscribe(durable: "n") } == .corrupt)
    #expect(Disk.read(path) == rest)
    let status = try MirroredBus.durableSubscriptions(of: fixture.directory)
    #expect(status.map { $0.failure?.code } == [.corrupt])
  }

  @Test func anotherVersionIsNotRead() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    try bus.subscribe(durable: "n").close()
    let path = "\(fixture.directory.path)/.durable/n.journal"
    var chain = DurableChain()
    var bytes: [UInt8] = []
    chain.append(to: &bytes) { $0 += Array("conclave-durable 2 n *".utf8) }
    Disk.write(path, bytes)
    #expect(code { () throws(BusError) in _ = try bus.subscribe(durable: "n") } == .incompatible)
    chain = DurableChain()
    bytes = []
    chain.append(to: &bytes) { $0 += Array("conclave-durable 1 m *".utf8) }
    Disk.write(path, bytes)
    #expect(code { () throws(BusError) in _ = try bus.subscribe(durable: "n") } == .corrupt)
  }

  @Test func squattersAreRefused() throws {
    for file in ["n.journal", "n.lock", "n.draft~"] {
      for kind in ["link", "dangling", "fifo", "directory", "open", "hard"] {
        let fixture = try MirroredFixture()
        let bus = try fixture.bus()
        try bus.subscribe(durable: "m").close()
        let folder = "\(fixture.directory.path)/.durable"
        let target = "\(fixture.directory.path)/target"
        Disk.write(target, Array("precious".utf8))
        squat("\(folder)/\(file)", kind, target)
        let error = #expect(throws: BusError.self) { try bus.subscribe(durable: "n") }
        let expected: BusError.Code = kind == "open" ? .permissionDenied : .incompatible
        #expect(error?.code == expected, "\(file) \(kind)")
        #expect(error?.message.contains("\".durable/\(file)\" ") == true, "\(file) \(kind)")
        #expect(Disk.read(target) == Array("precious".utf8))
      }
    }
  }

  private func squat(_ path: String, _ kind: String, _ target: String) {
    switch kind {
    case "link": #expect(unsafe symlink(target, path) == 0)
    case "dangling": #expect(unsafe symlink("/nonexistent/x", path) == 0)
    case "fifo": #expect(unsafe mkfifo(path, 0o600) == 0)
    case "directory": #expect(unsafe mkdir(path, 0o700) == 0)
    case "hard": #expect(unsafe link(target, path) == 0)
    default:
      Disk.write(path, [])
      #expect(unsafe chmod(path, 0o666) == 0)
    }
  }

  @Test func aFolderOfSomethingElseIsRefused() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let folder = "\(fixture.directory.path)/.durable"
    #expect(try MirroredBus.durableSubscriptions(of: fixture.directory).isEmpty)
    #expect(unsafe access(folder, F_OK) != 0)
    Disk.write(folder, [1])
    #expect(code { () throws(BusError) in _ = try bus.subscribe(durable: "n") } == .incompatible)
    unsafe unlink(folder)
    #expect(unsafe symlink("/tmp", folder) == 0)
    #expect(code { () throws(BusError) in _ = try bus.subscribe(durable: "n") } == .incompatible)
    unsafe unlink(folder)
    #expect(unsafe mkdir(folder, 0o755) == 0)
    #expect(
      code { () throws(BusError) in _ = try bus.subscribe(durable: "n") } == .permissionDenied)
    #expect(unsafe chmod(folder, 0o700) == 0)
    _ = try bus.subscribe(durable: "n")
    var status = stat()
    #expect(unsafe lstat("\(folder)/n.journal", &status) == 0 && status.st_mode & 0o777 == 0o600)
  }

  /// On a file system that is full, nothing is acknowledged that is not written.
  @Test func whatCannotBeWrittenIsNotAcknowledged() async {
    await #expect(processExitsWith: .success) {
      let fixture = try MirroredFixture()
      let bus = try fixture.bus()
      let subscription = try bus.subscribe(durable: "n")
      try bus.say(0..<10)
      let taken = try subscription.take(10)
      let path = "\(fixture.directory.path)/.durable/n.journal"
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: rlim_t(Disk.size(path) + 10), rlim_max: rlim_t.max)
      #expect(unsafe setrlimit(__rlimit_resource_t(1), &limit) == 0)
      do throws(BusError) {
        try subscription.acknowledge(upTo: taken[4])
        Issue.record("was written")
      } catch { #expect(error.code == .noSpace) }
      limit.rlim_cur = rlim_t.max
      #expect(unsafe setrlimit(__rlimit_resource_t(1), &limit) == 0)
      #expect(try MirroredBus.durableSubscriptions(of: fixture.directory)[0].unacknowledged == 10)
      #expect(try subscription.acknowledge(upTo: taken[4]) == 5)
      #expect(try MirroredBus.durableSubscriptions(of: fixture.directory)[0].unacknowledged == 5)
    }
  }

  @Test func withoutAMirrorThereIsNoLog() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus { $0.isCandidate = false }
    #expect(code { () throws(BusError) in _ = try bus.subscribe(durable: "n") } == .notFound)
  }

  @Test func whatIsLostOfTheLogIsSaid() throws {
    let fixture = try MirroredFixture()
    let first = try fixture.bus()
    let before = try first.subscribe(durable: "n", to: "t")
    try first.say(0..<20)
    try before.acknowledge(upTo: #require(before.take(20).last))
    before.close()
    first.close()
    // A power cut takes the end of the file, and the segment.
    let lines = Disk.lines(fixture.file("t")).prefix(12).map { $0 + [0x0A] }
    Disk.write(fixture.file("t"), Array(lines.joined()))
    #expect(try SharedMemoryBus.clean(fixture.directory))
    let second = try fixture.bus()
    try second.say(100..<105)
    let warnings = Lock<[BusWarning]>([])
    var options = DurableOptions()
    options.onWarning = { warning in warnings.withLock { $0.append(warning) } }
    let after = try second.subscribe(durable: "n", to: "t", options: options)
    #expect(try after.take(5).map(\.value) == Array(100..<105))
    let said = warnings.withLock { $0 }
    guard case .durableLoss(name: "n", count: 8, reason: _)? = said.first else {
      Issue.record("\(said)")
      return
    }
  }

  /// What was claimed, and is in no file when it comes again, goes to the dead letters without it.
  @Test func whatIsNotThereAnyMoreIsSaid() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let dead = try bus.subscribe("dead-letter.n")
    let first = try bus.subscribe(durable: "n", to: "t")
    try bus.say(0..<3)
    _ = try first.take(3)
    first.close()
    let lines = Disk.lines(fixture.file("t")).map { $0 + [0x0A] }
    Disk.write(fixture.file("t"), lines[0] + lines[2])
    let second = try bus.subscribe(durable: "n", to: "t")
    #expect(try second.take(2).map(\.value) == [0, 2])
    let letter = try #require(try dead.receive(timeout: hangLimit)?.envelope)
    #expect(letter.payload.description.contains(#""envelope":null"#))
  }

  /// Who dies behind the letter and before the acknowledgement has a successor who writes it again.
  @Test func aLetterIsThereOnce() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let dead = try bus.subscribe("dead-letter")
    var letter = DeadLetter(
      name: try DurableName("n"), position: 7, attempts: 5, reason: "r", envelope: nil)
    for _ in 0..<3 { #expect(try bus.publish(letter, wait: .blocking)) }
    letter.position = 8
    #expect(try bus.publish(letter, wait: .never))
    #expect(try dead.take(2).count == 2)
    #expect(try dead.receive(timeout: .milliseconds(300)) == nil)
  }

  /// A message that fills the bus's limit has no room in a letter.
  @Test func aLargeLetterComesWithoutItsMessage() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let dead = try bus.subscribe("dead-letter")
    let limit = 16 << 20
    let payload = RawJSON(validated: [0x22] + [UInt8](repeating: 0x61, count: limit - 2) + [0x22])
    let envelope = Envelope(
      id: MessageID(process: 1, counter: 2), seq: 1,
      timestamp: Timestamp(nanosecondsSinceEpoch: 0), sender: "s", topic: try Topic("t"), type: "x",
      payload: payload)
    let letter = DeadLetter(
      name: try DurableName("n"), position: 7, attempts: 5, reason: "r", envelope: envelope)
    #expect(try bus.publish(letter, wait: .blocking))
    let found = try #require(dead.take(1).first?.payload)
    #expect(
      found
        == #"{"durable":"n","reason":"r","attempts":5,"position":7,"id":"1-2","envelope":null}"#)
  }

  /// A file that cannot be read for a while loses nothing.
  @Test func whatCannotBeReadNowComesLater() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let first = try bus.subscribe(durable: "n", to: "t", options: DurableOptions(retryLimit: 1))
    try bus.say(0..<1, on: "t.a")
    try bus.say(1..<2, on: "t.b")
    first.close()
    let second = try bus.subscribe(durable: "n", to: "t")
    _ = try second.take(2)
    second.close()
    let third = try bus.subscribe(durable: "n", to: "t")
    #expect(unsafe link(fixture.file("t.a"), "\(fixture.directory.path)/other") == 0)
    #expect(code { () throws(BusError) in _ = try third.receive() } == .incompatible)
    unsafe unlink("\(fixture.directory.path)/other")
    let again = try third.take(2)
    #expect(again.map(\.value) == [0, 1] && again.allSatisfy(\.redelivered))
  }

  /// Who loses messages by retention is named.
  @Test func retentionNamesWhoLoses() throws {
    let fixture = try MirroredFixture()
    let warnings = Lock<[BusWarning]>([])
    let bus = try fixture.bus()
    let behind = try bus.subscribe(durable: "behind", to: "t")
    let ahead = try bus.subscribe(durable: "ahead", to: "t")
    try bus.subscribe(durable: "other", to: "u").close()
    try bus.say(0..<10)
    try behind.acknowledge(upTo: #require(behind.take(3).last))
    try ahead.acknowledge(upTo: #require(ahead.take(10).last))
    var options = FileBusOptions(
      retention: RetentionRules(standard: RetentionPolicy(count: 1)),
      onWarning: { warning in warnings.withLock { $0.append(warning) } })
    options.retentionGuard = DurableStatus.retentionGuard(of: fixture.directory)
    let files = try FileBus(directory: fixture.directory, options: options)
    #expect(try files.rotate(Topic("t")) == 1)
    try bus.say(10..<12)
    let results = try files.enforceRetention()
    #expect(results.flatMap(\.overtaken) == ["behind"])
    let expected = BusWarning.retentionOvertook(subscription: "behind", topic: try Topic("t"))
    #expect(warnings.withLock { $0 } == [expected])
    files.close()
  }

  @Test func cleaningForgetsTheNames() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    try bus.subscribe(durable: "n").close()
    bus.close()
    // The mirror's thread may still be on its way out.
    let removed = try waitUntil("nobody uses the files") { try? FileBus.clean(fixture.directory) }
    #expect(removed == 0)
    #expect(try MirroredBus.durableSubscriptions(of: fixture.directory).isEmpty)
    #expect(unsafe access("\(fixture.directory.path)/.durable", F_OK) != 0)
  }
}
