import BusTesting
import Glibc
import SharedRing
import Testing

@testable import ConclaveBus

/// A mirror that cannot write, and one that must not.
@Suite struct MirrorTroubleTests {
  private func message(_ number: Int) throws -> Message {
    Message(type: "x", sender: "s", payload: try RawJSON("{\"n\":\(number)}"))
  }

  private func block(_ fixture: MirroredFixture, _ topic: String) {
    #expect(unsafe symlink("/dev/null", fixture.file(topic)) == 0)
  }

  private func unblock(_ fixture: MirroredFixture, _ topic: String) {
    #expect(unsafe unlink(fixture.file(topic)) == 0)
  }

  private func seqs(_ fixture: MirroredFixture, _ topic: String) throws -> [UInt64] {
    try Disk.envelopes(fixture.file(topic)).map(\.seq)
  }

  /// Publishers wait, and nothing is missing when the way is free again.
  @Test func waitingPublishersGoOn() async throws {
    let fixture = try MirroredFixture()
    let warnings = Lock<[BusWarning]>([])
    let bus = try fixture.bus { options in
      options.onWarning = { warning in warnings.withLock { $0.append(warning) } }
    }
    block(fixture, "t")
    try await withHangGuard {
      try await onThreads(2) { index in
        if index == 0 {
          // More than the ring has room for.
          for number in 0..<3000 { try bus.publish(message(number), to: Topic("t")) }
          try bus.publish(message(3000), to: Topic("t"), durability: .mirrored)
        } else {
          defer { unblock(fixture, "t") }
          _ = try waitUntil("the mirror says that it fails") {
            warnings.withLock { said in
              said.contains { if case .mirrorFailing = $0 { true } else { false } } ? true : nil
            }
          }
        }
      }
    }
    #expect(try seqs(fixture, "t") == Array(1...3001))
    #expect(warnings.withLock { $0.contains(.mirrorRecovered) })
  }

  /// Their patience ends; what they were not promised is in the file all the same, later.
  @Test func patienceEnds() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus { $0.patience = .milliseconds(50) }
    block(fixture, "t")
    #expect(throws: BusError.self) {
      try bus.publish(message(0), to: Topic("t"), durability: .mirrored)
    }
    unblock(fixture, "t")
    _ = fixture.settle()
    #expect(try seqs(fixture, "t") == [1])
    try fixture.bus().publish(message(1), to: Topic("t"), durability: .synced)
    #expect(try Disk.envelopes(fixture.file("t")).count == 2)
  }

  /// The disk has room again, but the mirror would look only in half a second.
  @Test func aCloseTriesOnceMore() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    block(fixture, "t")
    for number in 0..<3 { try bus.publish(message(number), to: Topic("t")) }
    _ = try waitUntil("the mirror says so") { bus.trouble }
    // Until it looks every half second.
    pauseThread(700)
    unblock(fixture, "t")
    bus.close()
    #expect(try seqs(fixture, "t") == [1, 2, 3])
  }

  /// Somebody has a file's lock so long that it is trouble, and a little longer while the bus is
  /// closed.
  @Test func aCloseWaitsForALock() async throws {
    // It waits for five seconds, and all of them may pass while others want the processors.
    for _ in 0..<10 {
      let (seqs, duration) = try await closeWhileLocked()
      guard duration < .seconds(4) else { continue }
      return #expect(seqs == [1, 2, 3, 4])
    }
    Issue.record("ten times a close took four seconds")
  }

  private func closeWhileLocked() async throws -> (seqs: [UInt64], duration: Duration) {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    try bus.publish(message(0), to: Topic("t"), durability: .mirrored)
    let file = unsafe open(fixture.file("t"), O_RDWR | O_CLOEXEC)
    try #require(file >= 0 && flock(file, LOCK_EX) == 0)
    for number in 1..<4 { try await bus.publish(message(number), to: Topic("t")) }
    _ = try waitUntil("the mirror says so") { bus.trouble }
    let duration = Lock(Duration.zero)
    try await onThreads(2) { index in
      if index == 0 {
        let taken = ContinuousClock().measure { bus.close() }
        return duration.withLock { $0 = taken }
      }
      pauseThread(300)
      // Not by closing it: another test may just have forked, with all files.
      #expect(flock(file, LOCK_UN) == 0)
      close(file)
    }
    return (try seqs(fixture, "t"), duration.withLock { $0 })
  }

  /// What a mirror could not write when it had to end is the next one's.
  @Test func anEndWhileFailingLeavesEverythingToTheNext() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    block(fixture, "t")
    let plain = try SharedMemoryBus(directory: fixture.directory)
    for number in 0..<500 { try plain.publish(message(number), to: Topic("t")) }
    bus.close()
    unblock(fixture, "t")
    let next = try fixture.bus()
    _ = fixture.settle()
    #expect(try seqs(fixture, "t") == Array(1...500))
    next.close()
  }

  @Test func thatNobodyMirrorsIsSaid() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus { options in
      options.isCandidate = false
      options.patience = .milliseconds(20)
    }
    func refusal() -> BusError? {
      do {
        try bus.publish(message(1), to: Topic("t"), durability: .mirrored)
        return nil
      } catch { return error as? BusError }
    }
    #expect(refusal()?.message.hasSuffix(": no mirror is running") == true)
    #expect(unsafe unlink(SharedMemoryBus.segmentPath(of: fixture.directory)) == 0)
    let error = refusal()
    #expect(error?.code == .notDurable && error?.hint.contains("open the bus anew") == true)
    #expect(error?.message.hasSuffix("this process's segment, whose file was removed") == true)
  }

  /// The beginning of a large message may be with the mirror alone while its end is on the ring.
  @Test func cleaningTheFilesAloneLeavesTheSegmentsOwn() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    try bus.publish(message(1), to: Topic("t"), durability: .mirrored)
    bus.close()
    // The mirror's thread is about to let go of the directory.
    let removed = try waitUntil("cleaned") { try? FileBus.clean(fixture.directory) }
    #expect(removed == 1)
    #expect(Disk.size("\(fixture.directory.path)/\(MirrorChains.name)") >= 0)
    #expect(Disk.size("\(fixture.directory.path)/\(MirrorBase.name)") > 0)
    #expect(try SharedMemoryBus.clean(fixture.directory) && FileBus.clean(fixture.directory) == 0)
    #expect(Disk.size("\(fixture.directory.path)/\(MirrorChains.name)") == -1)
    #expect(Disk.size("\(fixture.directory.path)/\(MirrorBase.name)") == -1)
  }

  /// Whoever closes a bus that is being closed may rely on it as well.
  @Test func everyCloseWaitsForTheMirrorsEnd() async throws {
    let fixture = try MirroredFixture()
    let isFree = Lock(false)
    let bus = try fixture.bus { options in
      // Keeps the mirror from its end.
      options.onWarning = { warning in
        guard case .mirrorFailing = warning else { return }
        while !isFree.withLock({ $0 }) { pauseThread(1) }
      }
    }
    block(fixture, "t")
    _ = try bus.publish([message(1)], to: Topic("t"), wait: .blocking)
    let wasFree = Lock<[Bool]>([])
    try await withHangGuard {
      try await onThreads(4) { index in
        if index == 3 {
          _ = try waitUntil("somebody closes") { bus.shared.closing.isRaised ? true : nil }
          // Time for the others to return too early.
          pauseThread(50)
          return isFree.withLock { $0 = true }
        }
        bus.close()
        let isFree = isFree.withLock { $0 }
        wasFree.withLock { $0.append(isFree) }
      }
    }
    #expect(wasFree.withLock { $0 } == [true, true, true])
  }

  /// Mirrors come and end in order, while others publish more than the ring has room for.
  @Test func endsInOrderSkipNothing() async throws {
    let fixture = try MirroredFixture()
    try fixture.bus { $0.handOverPatience = hangLimit }.close()
    let plain = try SharedMemoryBus(directory: fixture.directory)
    let isOver = RingCancellation()
    try await withHangGuard {
      try await onThreads(2) { index in
        if index == 0 {
          defer { isOver.raise() }
          for number in 0..<8000 { try plain.publish(message(number), to: Topic("t")) }
        } else {
          while !isOver.isRaised {
            let mirror = try fixture.bus { $0.handOverPatience = hangLimit }
            pauseThread(3)
            mirror.close()
          }
        }
      }
    }
    let last = try fixture.bus()
    _ = fixture.settle()
    last.close()
    #expect(try seqs(fixture, "t") == Array(1...8000))
  }

  @Test func publishersFailAtOnceWhereTheyAreTold() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus { $0.whenFailing = .fail }
    block(fixture, "t")
    try bus.publish(message(0), to: Topic("t"))
    let error = try waitUntil("publishing fails") { () -> BusError? in
      do {
        try bus.publish(message(1), to: Topic("t"))
        return nil
      } catch { return error as? BusError }
    }
    #expect(error.code == .notDurable && error.message.contains("incompatible"))
    // What concerns another topic is none of its business.
    try bus.publish(message(0), to: Topic("u"), durability: .mirrored)
    unblock(fixture, "t")
    _ = try waitUntil("publishing succeeds") {
      (try? bus.publish(message(2), to: Topic("t"), durability: .mirrored)).map { true }
    }
    let seqs = try seqs(fixture, "t")
    #expect(seqs == Array(1...UInt64(seqs.count)))
  }

  /// Publishers go on, those who asked for more are told, and readers of the files see what is
  /// missing, exactly.
  @Test func goesOnUnmirrored() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus { $0.whenFailing = .continueUnmirrored }
    try bus.publish(message(0), to: Topic("u"), durability: .mirrored)
    block(fixture, "t")
    for number in 0..<5000 { try bus.publish(message(number), to: Topic("t")) }
    #expect(throws: BusError.self) {
      try bus.publish(message(5000), to: Topic("t"), durability: .mirrored)
    }
    unblock(fixture, "t")
    _ = try waitUntil("the mirror writes again") {
      (try? bus.publish(message(1), to: Topic("t"), durability: .mirrored)).map { true }
    }
    let files = try FileBus(directory: fixture.directory)
    let all = try files.subscribe("t", options: SubscriptionOptions(start: .beginning))
    var (seen, missing): ([UInt64], UInt64) = ([], 0)
    while let delivery = try all.poll() {
      switch delivery {
      case .envelope(let envelope): seen.append(envelope.seq)
      case .gap(let gap): missing += gap.count
      }
    }
    let first = try #require(seen.first)
    #expect(first > 1 && missing == seen[seen.count - 1] - first + 1 - UInt64(seen.count))
  }

  /// A subscriber that was overrun while nothing was mirrored is told what it lost.
  @Test func whatIsNotInTheFilesIsAGap() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus { $0.whenFailing = .continueUnmirrored }
    let slow = try bus.subscribe("t")
    try bus.publish(message(0), to: Topic("t"), durability: .mirrored)
    unblock(fixture, "t")
    block(fixture, "t")
    for number in 1..<5000 { try bus.publish(message(number), to: Topic("t")) }
    unblock(fixture, "t")
    _ = try waitUntil("the mirror writes again") {
      (try? bus.publish(message(1), to: Topic("t"), durability: .mirrored)).map { true }
    }
    bus.close()
    var (messages, missing, last): (UInt64, UInt64, UInt64) = (0, 0, 0)
    while let delivery = try slow.receive(timeout: hangLimit) {
      switch delivery {
      case .envelope(let envelope):
        messages += 1
        #expect(envelope.seq > last)
        last = envelope.seq
      case .gap(let gap): missing += gap.count
      }
    }
    #expect(last > 5000 && messages + missing == last && missing > 0)
  }

  /// A file that was put back from an older log ends behind all that this one has: its places must
  /// not make new messages look as if they were there.
  @Test func aFileOfAnotherLogIsNotAddedTo() throws {
    let fixture = try MirroredFixture()
    let old = try MirroredFixture()
    try old.bus().say(0..<5)
    let lines = Disk.read(old.file("t"))
    let first = try fixture.bus()
    try first.say(0..<1, on: "u")
    first.close()
    Disk.write(fixture.file("t"), lines)
    let bus = try fixture.bus { $0.patience = .milliseconds(50) }
    let error = #expect(throws: BusError.self) {
      try bus.publish(message(6), to: Topic("t"), durability: .synced)
    }
    #expect(error?.code == .notDurable && Disk.read(fixture.file("t")) == lines)
    unblock(fixture, "t")
    try fixture.bus().publish(message(7), to: Topic("t"), durability: .synced)
    #expect(
      try Disk.envelopes(fixture.file("t")).map(\.payload.description) == [
        #"{"n":6}"#, #"{"n":7}"#,
      ])
  }

  /// A key that comes again publishes nothing; that it is on the disk is promised all the same,
  /// while the mirror sleeps.
  @Test func aRepeatedKeyIsSynced() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus { $0.patience = .seconds(5) }
    let keyed = Message(
      type: "x", sender: "s", payload: try RawJSON("1"),
      idempotencyKey: try IdempotencyKey("k"))
    try bus.publish(keyed, to: Topic("t"), durability: .mirrored)
    // Long enough for the mirror to fall asleep; if it is awake the test shows less.
    pauseThread(50)
    try bus.publish(keyed, to: Topic("t"), durability: .synced)
    #expect(try Disk.envelopes(fixture.file("t")).count == 1)
  }

  @Test func twoSegmentsDoNotMixInOneDirectory() throws {
    let fixture = try MirroredFixture()
    let first = try fixture.bus()
    let scratch = Scratch()
    do {
      _ = try fixture.bus { $0.shared.segmentDirectory = scratch.path }
      Issue.record("the second was not refused")
    } catch {
      #expect(error.code == .busy && error.message.contains("\(getpid())"))
    }
    first.close()
    let second = try fixture.bus { $0.shared.segmentDirectory = scratch.path }
    #expect(second.isMirror)
  }

  @Test(arguments: ["", "x\n", "12", "-1\n", "99999999999999999999\n"])
  func nonsenseAboutTheBeginningIsReported(_ text: String) throws {
    let fixture = try MirroredFixture()
    Disk.write("\(fixture.directory.path)/\(MirrorBase.name)", Array(text.utf8))
    do {
      _ = try fixture.bus()
      Issue.record("nonsense was believed")
    } catch { #expect(error.code == .corrupt && !error.hint.isEmpty) }
  }

  /// Retention has removed every file, and the segment is gone: places do not come again.
  @Test func placesNeverComeAgain() throws {
    let fixture = try MirroredFixture()
    let first = try fixture.bus()
    try first.publish(message(0), to: Topic("t"))
    first.close()
    #expect(try SharedMemoryBus.clean(fixture.directory))
    let second = try fixture.bus()
    try second.publish(message(1), to: Topic("t"))
    second.close()
    unblock(fixture, "t")
    #expect(try SharedMemoryBus.clean(fixture.directory))
    let third = try fixture.bus()
    try third.publish(message(2), to: Topic("t"), durability: .mirrored)
    let places = try Disk.envelopes(fixture.file("t")).compactMap(\.position)
    #expect(places.count == 1 && places[0] > 1)
  }

  @Test(arguments: [".mirror.lock", ".mirror.chains"])
  func squattersAreRefused(_ name: String) throws {
    for kind in ["link", "fifo", "directory"] {
      let fixture = try MirroredFixture()
      let path = "\(fixture.directory.path)/\(name)"
      switch kind {
      case "link": #expect(unsafe symlink("/etc/passwd", path) == 0)
      case "fifo": #expect(unsafe mkfifo(path, 0o600) == 0)
      default: #expect(unsafe mkdir(path, 0o700) == 0)
      }
      do {
        _ = try fixture.bus()
        Issue.record("a \(kind) was used")
      } catch { #expect(error.code == .incompatible, "\(kind): \(error)") }
    }
  }
}
