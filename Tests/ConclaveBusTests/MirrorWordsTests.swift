import BusTesting
import SharedRing
import Testing

@testable import ConclaveBus

/// What a publisher makes of what the mirror says of it. The mirror is the test.
@Suite struct MirrorWordsTests {
  /// Publishes one message on `u` that is to be on the disk, while `mirror` plays its part once the
  /// message is on the ring.
  private func publish(
    patience: Duration = hangLimit, _ mirror: @escaping @Sendable (RingMirrorBoard) -> Void
  ) async throws -> BusError? {
    let fixture = try MirroredFixture()
    let row = try fixture.probe(
      .mirror(timeoutNanoseconds: .max, keepNanoseconds: 60_000_000_000))
    _ = row.mirrorBoard.setBase(0)
    let bus = try fixture.bus { options in
      options.isCandidate = false
      options.patience = patience
    }
    let result = Lock<BusError?>(nil)
    try await withHangGuard {
      try await onThreads(2) { index in
        if index == 0 {
          _ = try waitUntil("it is on the ring") { row.frontier > 0 ? true : nil }
          return mirror(row.mirrorBoard)
        }
        do {
          try bus.publish(
            Message(type: "x", sender: "s", payload: RawJSON("1")), to: Topic("u"),
            durability: .synced)
        } catch { result.withLock { $0 = error as? BusError } }
      }
    }
    row.leave()
    return result.withLock { $0 }
  }

  private static let own = (try? Topic("u"))?.subject ?? 0
  private static let other = (try? Topic("t"))?.subject ?? 0

  private func told(unsynced: [(Range<UInt64>, UInt32)]) async throws -> BusError? {
    try await publish { board in
      for (positions, subject) in unsynced { board.noteUnsynced(positions, subject: subject) }
      board.noteMirrored(1, messages: 1, bytes: 1)
      board.noteSynced(1)
    }
  }

  @Test func whoseSyncFailedIsTold() async throws {
    let error = try await told(unsynced: [(0..<1, Self.own)])
    #expect(error?.code == .notDurable)
    #expect(error?.message.contains("which has reported an error") == true)
  }

  @Test(arguments: [[(0..<1, other)], [(1..<9, own)], [(1..<9, 0)]] as [[(Range<UInt64>, UInt32)]])
  func nobodyElseIs(_ unsynced: [(Range<UInt64>, UInt32)]) async throws {
    #expect(try await told(unsynced: unsynced) == nil)
  }

  /// It may be the disk's error, or it may not: that is said, and not that all is well.
  @Test(
    arguments: [[(0..<1, 0)], [(7..<9, other), (8..<9, other)]] as [[(Range<UInt64>, UInt32)]])
  func doubtIsSaid(_ unsynced: [(Range<UInt64>, UInt32)]) async throws {
    let error = try await told(unsynced: unsynced)
    #expect(error?.code == .notDurable)
    #expect(error?.message.hasPrefix("whether the message is on the disk is not known: ") == true)
  }

  /// Only the sync is missing.
  @Test func whatIsInTheFileIsNotSaidToBeMissing() async throws {
    let late = try await publish(patience: .milliseconds(50)) { board in
      board.noteMirrored(1, messages: 1, bytes: 1)
    }
    #expect(late?.code == .notDurable)
    #expect(
      late?.message.hasPrefix(
        "the message is in its topic's file, but was not forced to the disk within ") == true)
  }
}
