import BusTesting
import Glibc
import SharedRing
import Synchronization
import Testing

@Suite struct BackPressureTests {
  /// Fills until there is no room; how many fitted.
  private func fill(_ publisher: TestPublisher, size: Int) throws -> Int {
    for number in 0..<1000 where try !publisher.publish(content(0, number, size: size)) {
      return number
    }
    Issue.record("no end")
    return 0
  }

  @Test(arguments: [(4080, 4), (16, 64)])
  func fullAndThenNot(_ size: Int, _ fitting: Int) throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let subscriber = try ring.patientSubscriber()
    for _ in 0..<10 {
      #expect(try fill(publisher, size: size) == fitting)
      #expect(try !publisher.publish([1]) || size > 16)
      let received = subscriber.readAll()
      #expect(received.losses.isEmpty && received.messages.count >= fitting)
    }
  }

  @Test(arguments: [4080, 16])
  func timeOutNamesTheSlowOne(_ size: Int) throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let quick = try ring.patientSubscriber()
    let label = String(repeating: "läbel ", count: 60)
    let slow = try ring.subscriber(.backPressure(timeoutNanoseconds: 1_000_000), label: label)
    let fitting = try fill(publisher, size: size)
    _ = quick.readAll()
    do {
      try publisher.publish(content(0, 0, size: size), wait: .untilRoom(RingCancellation()))
      Issue.record("there was room")
    } catch {
      guard case RingError.timedOut(let seen, let process) = error else { throw error }
      #expect(process == UInt32(getpid()))
      #expect(label.hasPrefix(seen.prefix(180)) && seen.utf8.count >= 224)
    }
    #expect(slow.readAll().messages.count == fitting)
    #expect(try publisher.publish([1]))
  }

  @Test(arguments: [4080, 16])
  func cancellationEndsAWait(_ size: Int) async throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let subscriber = try ring.patientSubscriber()
    let fitting = try fill(publisher, size: size)
    let cancellation = RingCancellation()
    try await withHangGuard {
      try await onThreads(2) { index in
        if index == 1 { return cancellation.raise() }
        #expect(throws: RingError.cancelled) {
          try publisher.publish(content(0, 0, size: size), wait: .untilRoom(cancellation))
        }
      }
    }
    #expect(subscriber.readAll().messages.count == fitting)
  }

  @Test(arguments: [4080, 16], [true, false])
  func leavingReleasesPublishers(_ size: Int, _ byDeinit: Bool) async throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let subscriber = Lock<RingSubscriber?>(try ring.patientSubscriber())
    _ = try fill(publisher, size: size)
    try await withHangGuard {
      try await onThreads(2) { index in
        if index == 0 {
          let sent = try publisher.publish(
            content(0, 0, size: size), wait: .untilRoom(RingCancellation()))
          #expect(sent)
        } else if byDeinit {
          subscriber.withLock { $0 = nil }
        } else {
          subscriber.withLock { $0?.leave() }
        }
      }
    }
  }

  /// Readers that begin while publishers run are never overrun: from the first record that they see
  /// on they see all.
  @Test(arguments: [24, 2000])
  func joiningAmidTraffic(_ size: Int) async throws {
    let ring = try TestRing()
    let stop = RingCancellation()
    let cancellation = RingCancellation()
    try await withHangGuard {
      try await onThreads(4) { index in
        if index < 2 {
          let publisher = try ring.publisher()
          var number = 0
          while !stop.isRaised {
            try publisher.publish(
              numbered(index, number, size: size), wait: .untilRoom(cancellation))
            number += 1
          }
        } else {
          for round in 0..<400 { try joinAndRead(ring, round) }
          if index == 2 { stop.raise() }
        }
      }
    }
  }

  private func joinAndRead(_ ring: TestRing, _ round: Int) throws {
    let subscriber = try ring.patientSubscriber()
    var next: [Int: Int] = [:]
    for _ in 0..<3 {
      let received = subscriber.readAll(limit: 40)
      #expect(received.losses.isEmpty, "round \(round)")
      for bytes in received.bytes {
        let (sender, number) = try #require(identify(bytes))
        try #require(next[sender] == nil || next[sender] == number, "round \(round)")
        next[sender] = number + 1
      }
    }
  }

  /// A label is for people; whatever it is, joining works.
  @Test(arguments: ["", "x", String(repeating: "y", count: 10_000)])
  func labels(_ label: String) throws {
    let ring = try TestRing()
    let subscriber = try ring.subscriber(label: label)
    let snapshot = try #require(try RingSnapshot(of: ring.location))
    #expect(snapshot.subscribers.map(\.label) == [String(label.prefix(224))])
    subscriber.leave()
    #expect(try RingSnapshot(of: ring.location)?.subscribers == [])
  }

  /// All rows are the dead's: that must not keep a reader out, whatever it wants.
  @Test(arguments: RingSubscriber.Policy.withRows)
  func deadRowsAreTakenOver(_ policy: RingSubscriber.Policy) throws {
    let ring = try TestRing()
    let first = try ring.subscriber()
    let segment = try RawSegment(ring)
    for row in 1..<4 { segment[segment.rowState(row)] = 1 }
    first.leave()
    segment[segment.rowState(0)] = 3
    let publisher = try ring.publisher()
    let readers = try (0..<4).map { _ in try ring.subscriber(policy) }
    #expect(throws: RingError.exhausted) { try ring.subscriber(policy) }
    for number in 0..<200 {
      #expect(try publisher.publish([UInt8(number)]))
      for reader in readers { #expect(reader.readAll().bytes == [[UInt8(number)]]) }
    }
  }
}
