import BusTesting
import Glibc
import SharedRing
import Testing

@testable import ConclaveBus

/// What becomes of everything else while one topic's file cannot be written.
@Suite struct MirrorHoldingTests {
  enum Obstacle: CaseIterable {
    case link, pipe, directory, otherLog, othersFile

    /// Only root can give files away.
    static var possible: [Obstacle] { allCases.filter { $0 != .othersFile || geteuid() == 0 } }

    func place(_ path: String) throws {
      switch self {
      case .link: #expect(unsafe symlink("/dev/null", path) == 0)
      case .pipe: #expect(unsafe mkfifo(path, 0o600) == 0)
      case .directory: #expect(unsafe mkdir(path, 0o700) == 0)
      case .otherLog:
        Disk.write(
          path,
          Array(
            (#"{"id":"1-1","seq":1,"timestamp":"2026-01-01T00:00:00.000000000Z","sender":"s","#
              + #""topic":"t","type":"x","payload":1,"incarnation":1,"position":99999999999}"#
              + "\n").utf8))
      case .othersFile:
        Disk.write(path, [])
        #expect(unsafe chown(path, 1, 1) == 0)
      }
    }

    func remove(_ path: String) {
      #expect(unsafe (self == .directory ? rmdir(path) : unlink(path)) == 0)
    }
  }

  private func message(_ number: Int, by sender: String = "s") throws -> Message {
    Message(type: "x", sender: sender, payload: try RawJSON("{\"n\":\(number)}"))
  }

  private func seqs(_ fixture: MirroredFixture, _ topic: String) throws -> [UInt64] {
    try Disk.envelopes(fixture.file(topic)).map(\.seq)
  }

  /// With each durability, and nothing of the topic itself is lost.
  @Test(arguments: Obstacle.possible)
  func otherTopicsGoOn(_ obstacle: Obstacle) throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus { $0.patience = hangLimit }
    try obstacle.place(fixture.file("t"))
    for number in 0..<100 {
      try bus.publish(message(number), to: Topic("t"))
      try bus.publish(message(number), to: Topic("u"))
    }
    try bus.publish(message(100), to: Topic("u"), durability: .mirrored)
    #expect(try seqs(fixture, "u") == Array(1...101))
    let some = try (101..<110).map { try message($0, by: $0 % 2 == 0 ? "a" : "b") }
    _ = try bus.publish(some, to: Topic("u"), wait: .blocking, durability: .mirrored)
    try bus.publisher(topic: Topic("u"), sender: "s", type: "x", durability: .synced)
      .publish(RawJSON("1"))
    #expect(try Disk.envelopes(fixture.file("u")).count == 111)
    obstacle.remove(fixture.file("t"))
    try bus.publish(message(100), to: Topic("t"), durability: .synced)
    #expect(try seqs(fixture, "t") == Array(1...101))
    #expect(try SharedMemoryBus.status(of: fixture.directory)?.mirror?.skipped.count == 0)
  }

  /// Somebody has stopped while it had the lock of a file.
  @Test func aLockedFileHoldsUpNobodyElse() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus { options in
      options.patience = hangLimit
      options.file.lockPatience = .seconds(86_400)
    }
    try bus.publish(message(0), to: Topic("t"), durability: .mirrored)
    let file = unsafe open(fixture.file("t"), O_RDWR)
    defer { close(file) }
    #expect(flock(file, LOCK_EX) == 0)
    try bus.publish(message(1), to: Topic("t"))
    try bus.publish(message(0), to: Topic("u"), durability: .synced)
    #expect(try seqs(fixture, "u") == [1])
    #expect(bus.trouble?.code == BusError.Code.busy.number)
    #expect(flock(file, LOCK_UN) == 0)
    try bus.publish(message(2), to: Topic("t"), durability: .synced)
    #expect(try seqs(fixture, "t") == [1, 2, 3])
  }

  /// The next mirror finds files that are ahead of what the last one has said.
  @Test func aSuccessorRepeatsNothing() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus { $0.patience = hangLimit }
    try Obstacle.link.place(fixture.file("t"))
    for number in 0..<100 {
      try bus.publish(message(number), to: Topic("t"))
      try bus.publish(message(number), to: Topic("u"))
    }
    try bus.publish(message(100), to: Topic("u"), durability: .synced)
    bus.close()
    Obstacle.link.remove(fixture.file("t"))
    let next = try fixture.bus()
    #expect(fixture.settle())
    #expect(try seqs(fixture, "u") == Array(1...101))
    #expect(try seqs(fixture, "t") == Array(1...100))
    next.close()
  }

  /// What was published before anybody mirrored must not keep a mirror from its office.
  @Test func theFirstMirrorHoldsWhatItFinds() throws {
    let fixture = try MirroredFixture()
    try Obstacle.link.place(fixture.file("t"))
    let plain = try SharedMemoryBus(
      directory: fixture.directory, options: MirroredFixture.smallRing)
    for number in 0..<50 {
      try plain.publish(message(number), to: Topic("t"))
      try plain.publish(message(number), to: Topic("u"))
    }
    let bus = try fixture.bus { $0.patience = hangLimit }
    #expect(bus.isMirror)
    try bus.publish(message(50, by: "v"), to: Topic("u"), durability: .mirrored)
    #expect(try seqs(fixture, "u") == Array(1...50) + [1])
    Obstacle.link.remove(fixture.file("t"))
    #expect(fixture.settle())
    #expect(try seqs(fixture, "t") == Array(1...50))
  }

  /// A mirror has come, and died before it had read what was there when it came.
  @Test func whatTheFirstMirrorDidNotReachIsTheSecondsToRead() throws {
    let fixture = try MirroredFixture()
    let plain = try SharedMemoryBus(
      directory: fixture.directory, options: MirroredFixture.smallRing)
    for number in 0..<50 { try plain.publish(message(number), to: Topic("t")) }
    let first = try fixture.probe(
      .mirror(timeoutNanoseconds: .max, keepNanoseconds: 60_000_000_000))
    first.abandon(keepNanoseconds: 60_000_000_000)
    let bus = try fixture.bus()
    try bus.publish(message(50), to: Topic("t"), durability: .mirrored)
    #expect(try seqs(fixture, "t").count == 51)
  }

  /// Exactly what cannot be written is given up, and exactly that is said.
  @Test func whatIsGivenUpIsExactlyWhatIsMissing() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus { options in
      options.whenFailing = .continueUnmirrored
      options.patience = hangLimit
    }
    try Obstacle.link.place(fixture.file("t"))
    for number in 0..<3000 {
      try bus.publish(message(number), to: Topic("t"))
      try bus.publish(message(number), to: Topic("u"))
      if number % 500 == 499 {
        try bus.publish(message(number), to: Topic("u"), durability: .mirrored)
      }
    }
    #expect(try seqs(fixture, "u") == Array(1...3006))
    Obstacle.link.remove(fixture.file("t"))
    _ = try waitUntil("the mirror writes again") {
      (try? bus.publish(message(0), to: Topic("t"), durability: .mirrored)).map { true }
    }
    let places = try Set(
      ["t", "u"].flatMap { try Disk.envelopes(fixture.file($0)).compactMap(\.position) })
    let mirror = try #require(try SharedMemoryBus.status(of: fixture.directory)?.mirror)
    let missing = (0..<mirror.mirrored).filter { !places.contains($0) }
    let runs = zip([UInt64.max - 1] + missing, missing).filter { $0.0 + 1 != $0.1 }.count
    #expect(missing.count > 1000 && mirror.skipped.count == UInt64(runs))
    let last = try #require(mirror.skipped.last)
    #expect(last.upperBound == missing[missing.count - 1] + 1)
    #expect(places.isDisjoint(with: last))
  }

  /// A mirror has ended while it held something, and the ring went round before the next one came:
  /// what it had written of other topics is not said to be missing.
  @Test func whatTheRingHasLostIsNotWhatTheFilesHave() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus { options in
      options.patience = hangLimit
      options.successionPatience = .nanoseconds(1)
    }
    try Obstacle.link.place(fixture.file("t"))
    for number in 0..<100 {
      try bus.publish(message(number), to: Topic("t"))
      try bus.publish(message(number), to: Topic("u"))
    }
    try bus.publish(message(100), to: Topic("u"), durability: .mirrored)
    bus.close()
    let plain = try SharedMemoryBus(
      directory: fixture.directory, options: MirroredFixture.smallRing)
    for number in 0..<2000 { try plain.publish(message(number), to: Topic("v")) }
    Obstacle.link.remove(fixture.file("t"))
    let given = Lock<UInt64>(0)
    let next = try fixture.bus { options in
      options.onWarning = { warning in
        if case .unmirrored(let count, _) = warning { given.withLock { $0 += count } }
      }
    }
    #expect(fixture.settle())
    #expect(try seqs(fixture, "u") == Array(1...101))
    let mirror = try #require(try SharedMemoryBus.status(of: fixture.directory)?.mirror)
    let places = try Set(
      ["t", "u", "v"].flatMap { topic in
        Disk.size(fixture.file(topic)) < 0
          ? [] : try Disk.envelopes(fixture.file(topic)).compactMap(\.position)
      })
    let missing = (0..<mirror.mirrored).filter { !places.contains($0) }
    #expect(missing.count > 100 && given.withLock { $0 } == UInt64(missing.count))
    // All of it in one piece, though it was noticed bit by bit.
    let end = try #require(missing.last)
    let begins = zip([UInt64.max - 1] + missing, missing).filter { $0.0 + 1 != $0.1 }.map(\.1)
    let gap = try #require(begins.last)
    #expect(mirror.skipped.last == gap..<end + 1)
    next.close()
  }

  /// The publisher of one message does not decide what becomes of others'.
  @Test func whoGoesOnGivesUpNothingOfOthers() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus { options in
      options.whenFailing = .continueUnmirrored
      options.shared = MirroredFixture.smallRing
    }
    let plain = try SharedMemoryBus(
      directory: fixture.directory, options: MirroredFixture.smallRing)
    try Obstacle.link.place(fixture.file("t"))
    let publisher = try plain.publisher(topic: Topic("t"), sender: "other", type: "x")
    try publisher.publish(RawJSON("1"))
    _ = try waitUntil("the mirror says so") { bus.trouble }
    // Some of them while the mirror waits for its next attempt; if none, the test shows less.
    var count: UInt64 = 1
    for _ in 0..<50 {
      try publisher.publish(RawJSON("1"))
      count += 1
      pauseThread(2)
    }
    // Until there is no room left.
    while try publisher.tryPublish(RawJSON("1")) { count += 1 }
    Obstacle.link.remove(fixture.file("t"))
    #expect(fixture.settle())
    #expect(try seqs(fixture, "t") == Array(1...count) && count > 500)
  }

  /// As the mirror, an operator may decide for those that say nothing.
  @Test func aMirrorThatGivesUpLetsEverybodyGoOn() throws {
    let fixture = try MirroredFixture()
    let given = Lock<UInt64>(0)
    let bus = try fixture.bus { options in
      options.givesUp = true
      options.onWarning = { warning in
        if case .unmirrored(let count, _) = warning { given.withLock { $0 += count } }
      }
    }
    let plain = try SharedMemoryBus(
      directory: fixture.directory, options: MirroredFixture.smallRing)
    try Obstacle.link.place(fixture.file("t"))
    for number in 0..<5000 { try plain.publish(message(number), to: Topic("t")) }
    Obstacle.link.remove(fixture.file("t"))
    #expect(fixture.settle())
    bus.close()
    let there = try seqs(fixture, "t")
    let missing = given.withLock { $0 }
    #expect(missing > 0 && UInt64(there.count) + missing == 5000)
  }

  /// Its successor says the same until it has tried.
  @Test func aSuccessorKnowsOfTheTrouble() throws {
    let fixture = try MirroredFixture()
    let first = try fixture.bus { $0.patience = .milliseconds(1) }
    try Obstacle.link.place(fixture.file("t"))
    #expect(throws: BusError.self) {
      try first.publish(message(0), to: Topic("t"), durability: .mirrored)
    }
    _ = try waitUntil("the mirror says so") { first.trouble }
    first.close()
    for _ in 0..<3 {
      let next = try fixture.bus { $0.whenFailing = .fail }
      let error = #expect(throws: BusError.self) { try next.publish(message(1), to: Topic("t")) }
      #expect(error?.message.contains("nothing was published") == true)
      try next.publish(message(1), to: Topic("u"), durability: .mirrored)
      next.close()
    }
    Obstacle.link.remove(fixture.file("t"))
    let last = try fixture.bus { $0.whenFailing = .fail }
    try last.publish(message(1), to: Topic("t"), durability: .mirrored)
    #expect(try Disk.envelopes(fixture.file("t")).count == 2 && last.trouble == nil)
  }

  /// The same when nothing is left that it could try.
  @Test func troubleWithoutRecordsIsLookedAt() throws {
    let fixture = try MirroredFixture()
    try Obstacle.directory.place(fixture.file("t"))
    let other = try fixture.bus { $0.isCandidate = false }
    try other.shared.openLane().mirrorBoard.setTrouble(
      RingTrouble(code: BusError.Code.noSpace.number, subject: Topic("t").subject))
    let bus = try fixture.bus { $0.whenFailing = .fail }
    #expect(throws: BusError.self) { try bus.publish(message(1), to: Topic("t")) }
    Obstacle.directory.remove(fixture.file("t"))
    // Nobody brings it anything to try.
    _ = try waitUntil("it is seen") { bus.trouble == nil ? true : nil }
    #expect(Disk.size(fixture.file("t")) == 0)
    try bus.publish(message(1), to: Topic("t"), durability: .synced)
    #expect(try seqs(fixture, "t") == [1])
  }

  /// The mirror makes no room, and says that one should wait for an hour.
  @Test func roomIsWaitedForAsLongAsThePublisherSays() async throws {
    let fixture = try MirroredFixture()
    let mirror = try fixture.probe(
      .mirror(timeoutNanoseconds: 3_600_000_000_000, keepNanoseconds: 60_000_000_000))
    let bus = try fixture.bus { options in
      options.isCandidate = false
      options.patience = .milliseconds(20)
    }
    try await withHangGuard {
      try await onThread {
        let error = #expect(throws: BusError.self) {
          for number in 0..<2000 { try bus.publish(message(number), to: Topic("t")) }
        }
        #expect(error?.code == .backPressureTimedOut)
      }
    }
    mirror.leave()
  }
}

extension MirroredBus {
  /// What the board says.
  var trouble: RingTrouble? { try? shared.openLane().mirrorBoard.trouble }
}
