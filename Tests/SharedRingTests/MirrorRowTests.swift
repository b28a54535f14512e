import BusTesting
import Glibc
import SharedRing
import Testing

/// The reader that copies everything into files, and its successor.
@Suite struct MirrorRowTests {
  private static let policy = RingSubscriber.Policy.mirror(
    timeoutNanoseconds: .max, keepNanoseconds: .max)

  /// What the kernel leaves of a mirror that is killed: its row as it was, without the lock.
  private func kill(_ mirror: RingSubscriber, _ segment: RawSegment, row: Int = 0) {
    let state = segment[segment.rowState(row)]
    mirror.leave()
    segment[segment.rowState(row)] = state
  }

  /// Not even for a moment: two would both take the ring's records for theirs.
  @Test func thereIsOneAtATime() throws {
    let ring = try TestRing()
    let first = try ring.subscriber(Self.policy)
    for _ in 0..<2 {
      #expect(throws: RingError.mirrored(process: UInt32(getpid()))) {
        try ring.subscriber(Self.policy)
      }
    }
    // Of the others there may be many.
    try ring.subscriber(.backPressure(timeoutNanoseconds: 1)).leave()
    first.leave()
    let second = try ring.subscriber(Self.policy)
    second.abandon(keepNanoseconds: 1)
    try ring.subscriber(Self.policy).leave()
  }

  @Test(arguments: [(4080, 4), (16, 64)])
  func givesBackNothingBeforeItCommits(_ size: Int, _ fitting: Int) throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let mirror = try ring.subscriber(Self.policy)
    #expect(!mirror.isSuccessor)
    for round in 0..<10 {
      for number in 0..<fitting {
        #expect(try publisher.publish(content(round, number, size: size)))
      }
      #expect(mirror.readAll().messages.count == fitting)
      #expect(mirror.readAll().messages.isEmpty)
      #expect(try !publisher.publish(content(round, fitting, size: size)))
      mirror.commit()
    }
  }

  /// Every number of records read, committed and noted before the death: the successor goes on with
  /// exactly the record behind what was committed or noted.
  @Test func successorMissesNothing() throws {
    for committed in 0..<6 {
      for noted in committed..<6 {
        for read in noted..<6 {
          try world(committed: committed, noted: noted, read: read)
        }
      }
    }
  }

  private func world(committed: Int, noted: Int, read: Int) throws {
    let ring = try TestRing()
    let publishers = try (0..<2).map { _ in try ring.publisher() }
    var mirror = try ring.subscriber(Self.policy)
    let segment = try RawSegment(ring)
    var sent: [[UInt8]] = []
    for round in 0..<40 {
      let start = sent.count
      for number in 0..<6 {
        sent.append(content(round, number, size: 100 + round * 37 + number * 300))
        #expect(try publishers[number % 2].publish(sent[sent.count - 1]))
      }
      _ = mirror.readAll(limit: committed)
      mirror.mirrorBoard.noteMirrored(mirror.position, messages: 0, bytes: 0)
      mirror.commit()
      _ = mirror.readAll(limit: noted - committed)
      mirror.mirrorBoard.noteMirrored(mirror.position, messages: 0, bytes: 0)
      _ = mirror.readAll(limit: read - noted)
      kill(mirror, segment)
      mirror = try ring.subscriber(Self.policy)
      try #require(mirror.isSuccessor)
      let rest = mirror.readAll()
      try #require(rest.losses.isEmpty && rest.bytes == Array(sent[(start + noted)...]))
      mirror.mirrorBoard.noteMirrored(mirror.position, messages: 0, bytes: 0)
      mirror.commit()
    }
  }

  @Test(arguments: [4080, 16])
  func publishersWaitForASuccessor(_ size: Int) async throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let segment = try RawSegment(ring)
    let first = try ring.subscriber(Self.policy)
    var sent: [[UInt8]] = []
    while try publisher.publish(content(0, sent.count, size: size)) {
      sent.append(content(0, sent.count, size: size))
    }
    let all = sent
    kill(first, segment)
    for _ in 0..<3 { #expect(try !publisher.publish(content(1, 0, size: size))) }
    // Who wants back pressure itself, or only to look, leaves the row alone.
    let others = try [RingSubscriber.Policy.dropping, .backPressure(timeoutNanoseconds: 1)].map {
      try ring.subscriber($0)
    }
    for other in others { other.leave() }
    try await withHangGuard {
      try await onThreads(2) { index in
        if index == 0 {
          try publisher.publish(content(1, 0, size: size), wait: .untilRoom(RingCancellation()))
        } else {
          pauseThread(30)
          let second = try ring.subscriber(Self.policy)
          let received = second.readAll()
          #expect(second.isSuccessor && received.losses.isEmpty && received.bytes == all)
          second.commit()
          kill(second, segment)
        }
      }
    }
    let third = try ring.subscriber(Self.policy)
    #expect(third.isSuccessor && third.readAll().bytes == [content(1, 0, size: size)])
  }

  /// Nobody comes: then the dead may hold nobody up for ever.
  @Test(arguments: [4080, 16])
  func isReleasedInTheEnd(_ size: Int) throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let segment = try RawSegment(ring)
    let mirror = try ring.subscriber(
      .mirror(timeoutNanoseconds: .max, keepNanoseconds: 20_000_000))
    for number in 0..<64 where try !publisher.publish(content(0, number, size: size)) { break }
    kill(mirror, segment)
    try publisher.publish(content(1, 0, size: size), wait: .untilRoom(RingCancellation()))
    #expect(segment[segment.rowState(0)] & 1 == 0)
    #expect(try !ring.subscriber(Self.policy).isSuccessor)
  }

  /// Its own patience holds while it lives; when it is dead that must not end before its row is
  /// released, or everybody would fail for ever because of nobody.
  @Test(arguments: [4080, 16])
  func isReleasedWhateverItsPatience(_ size: Int) throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let segment = try RawSegment(ring)
    let mirror = try ring.subscriber(
      .mirror(timeoutNanoseconds: 0, keepNanoseconds: 20_000_000))
    for number in 0..<64 where try !publisher.publish(content(0, number, size: size)) { break }
    kill(mirror, segment)
    try publisher.publish(content(1, 0, size: size), wait: .untilRoom(RingCancellation()))
    #expect(segment[segment.rowState(0)] & 1 == 0)
  }

  /// None of them waits as long as the row is kept, but all together do.
  @Test func theImpatientReleaseItTogether() throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let segment = try RawSegment(ring)
    let mirror = try ring.subscriber(
      .mirror(timeoutNanoseconds: .max, keepNanoseconds: 50_000_000))
    for number in 0..<64 { #expect(try publisher.publish([UInt8(number)])) }
    kill(mirror, segment)
    var tries = 0
    _ = try waitUntil("there is room") {
      tries += 1
      let wait = RingCancellation(mirrorPatience: 1_000_000)
      return (try? ring.publisher().publish([64], wait: .untilRoom(wait))).map { _ in true }
    }
    #expect(tries > 1 && segment[segment.rowState(0)] & 1 == 0)
  }

  /// What stands there of when it was seen dead is not trusted: the row is released all the same,
  /// and not at once because of what an earlier owner has left.
  @Test(arguments: [UInt64.max, 1, 1 << 47, 0xFFFF_0000_0000_0001])
  func nonsenseAboutItsDeath(_ word: UInt64) throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let segment = try RawSegment(ring)
    let mirror = try ring.subscriber(
      .mirror(timeoutNanoseconds: 0, keepNanoseconds: 20_000_000))
    for number in 0..<64 { #expect(try publisher.publish([UInt8(number)])) }
    kill(mirror, segment)
    segment[segment.rowState(0) + 32] = word
    try publisher.publish([64], wait: .untilRoom(RingCancellation()))
    #expect(segment[segment.rowState(0)] & 1 == 0)
  }

  /// A live one is not released, however long it takes.
  @Test func theLivingKeepTheirRow() throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let mirror = try ring.subscriber(.mirror(timeoutNanoseconds: 50_000_000, keepNanoseconds: 1))
    for number in 0..<64 { #expect(try publisher.publish([UInt8(number)])) }
    #expect(throws: RingError.timedOut(label: "test", process: UInt32(getpid()))) {
      try publisher.publish([64], wait: .untilRoom(RingCancellation()))
    }
    #expect(mirror.readAll().messages.count == 64)
  }

  /// What it had of large messages goes over to the successor, wherever the cut is.
  @Test func chainsAreHandedOver() throws {
    for cut in 1..<7 {
      let ring = try TestRing()
      let publishers = try (0..<2).map { _ in try ring.publisher() }
      let mirror = try ring.subscriber(Self.policy)
      let segment = try RawSegment(ring)
      let large = [content(0, 0, size: 11_000), content(1, 0, size: 10_000)]
      for number in 0..<2 {
        #expect(try publishers[number].publish(large[number]))
      }
      let first = mirror.readAll(limit: cut)
      let chains = mirror.openChains
      mirror.mirrorBoard.noteMirrored(mirror.position, messages: 0, bytes: 0)
      mirror.commit()
      kill(mirror, segment)
      let second = try ring.subscriber(Self.policy)
      second.resume(chains)
      let rest = second.readAll()
      #expect(first.losses.isEmpty && rest.losses.isEmpty)
      #expect(first.bytes + rest.bytes == large, "cut after \(cut)")
    }
  }

  /// Without them the end is reported, not passed over.
  @Test func endsWithoutBeginningsAreTold() throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let reader = try ring.subscriber()
    #expect(try publisher.publish(content(0, 0, size: 14_000)))
    let end = reader.readAll()
    #expect(end.messages.count == 1)
    let position = end.messages[0].place.position
    reader.seek(to: position)
    #expect(reader.readAll().losses == [.headless(position: position)])
  }

  /// What a dead mirror's row says is believed only as far as it can be true.
  @Test(arguments: [5, 1 << 40, .max] as [UInt64])
  func nonsenseIsNotInherited(_ cursor: UInt64) throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let mirror = try ring.subscriber(Self.policy)
    let segment = try RawSegment(ring)
    for number in 0..<3 { #expect(try publisher.publish([UInt8(number)])) }
    kill(mirror, segment)
    segment[segment.rowCursor(0)] = cursor
    let second = try ring.subscriber(Self.policy)
    #expect(!second.isSuccessor && second.position == 3)
    #expect(try publisher.publish([3]))
    #expect(second.readAll().bytes == [[3]])
  }

  /// Where it cannot have been so long, since publishers wait for it.
  @Test func whatIsLongGoneIsNotInherited() throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let mirror = try ring.subscriber(Self.policy)
    let segment = try RawSegment(ring)
    for number in 0..<100 {
      #expect(try publisher.publish([UInt8(number)]))
      #expect(mirror.readAll().messages.count == 1)
      mirror.commit()
    }
    kill(mirror, segment)
    segment[segment.rowCursor(0)] = 1
    let second = try ring.subscriber(Self.policy)
    #expect(!second.isSuccessor && second.position == 100)
  }

  /// One lane is enough to be in somebody's way; one that makes no sense is in nobody's.
  @Test func halfALaneIsPressure() throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let mirror = try ring.subscriber(Self.policy)
    let segment = try RawSegment(ring)
    var pressed: [Bool] = []
    for number in 0..<4 {
      #expect(try publisher.publish(content(0, number, size: 4080)))
      pressed.append(mirror.isPressed)
    }
    #expect(pressed == [false, false, true, true])
    let published = segment[segment.published(0)]
    for nonsense in [published + (1 << 20), published &- (1 << 20), .max] {
      segment[segment.published(0)] = nonsense
      #expect(!mirror.isPressed)
    }
    segment[segment.published(0)] = published
    #expect(mirror.readAll().messages.count == 4 && mirror.isPressed)
    mirror.commit()
    #expect(!mirror.isPressed)
  }

  @Test func stretchesTellWhomTheyConcern() throws {
    let ring = try TestRing()
    let mirror = try ring.subscriber(Self.policy)
    let board = mirror.mirrorBoard
    let before = board.progress.skipped
    #expect(before.meets(5..<6, since: before) == false)
    board.noteSkipped(10..<20)
    let after = board.progress.skipped
    for positions in [0..<1, 9..<10, 20..<21] as [Range<UInt64>] {
      #expect(after.meets(positions, since: before) == false)
    }
    for positions in [10..<11, 19..<20, 0..<100] as [Range<UInt64>] {
      #expect(after.meets(positions, since: before) == true)
    }
    board.noteSkipped(30..<31)
    // Two since: nobody can say any more.
    #expect(board.progress.skipped.meets(0..<1, since: before) == nil)
    #expect(board.progress.skipped.meets(0..<1, since: after) == false)
    board.noteUnsynced(3..<5, subject: 7)
    #expect(board.progress.unsynced.positions == 3..<5 && board.progress.unsynced.subject == 7)
    #expect(board.setBase(7) == 7 && board.setBase(9) == 7 && board.progress.base == 7)
  }

  @Test(arguments: [nil, (1, 0), (-1, .max), (.min, 7)] as [(Int32, UInt32)?])
  func troubleIsKept(_ parts: (Int32, UInt32)?) throws {
    let mirror = try TestRing().subscriber(Self.policy)
    let board = mirror.mirrorBoard
    defer { mirror.leave() }
    let trouble = parts.map { RingTrouble(code: $0, subject: $1) }
    board.setTrouble(RingTrouble(code: 3, subject: 3))
    board.setTrouble(trouble)
    #expect(board.trouble == trouble && board.progress.trouble == trouble)
  }

  @Test func roundsAreCounted() throws {
    let mirror = try TestRing().subscriber(Self.policy)
    let board = mirror.mirrorBoard
    defer { mirror.leave() }
    board.noteRound()
    #expect(board.rounds == 1)
    board.noteRound()
    #expect(board.rounds == 2)
  }
}
