import BusTesting
import Glibc
import SharedRing
import Testing

@testable import ConclaveBus

@Suite struct DurableSubscriptionTests {
  @Test func goesOnBehindWhatWasAcknowledged() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let first = try bus.subscribe(durable: "n", to: "t")
    try bus.say(0..<300)
    let taken = try first.take(200)
    #expect(taken.map(\.value) == Array(0..<200))
    #expect(taken.allSatisfy { !$0.redelivered && $0.attempt == 1 && $0.gaps.isEmpty })
    #expect(try first.acknowledge(upTo: taken[99]) == 100)
    #expect(try first.acknowledge(taken[150]))
    #expect(try !first.acknowledge(taken[150]))
    #expect(try !first.acknowledge(taken[50]))
    #expect(try first.acknowledge(id: taken[151].envelope.id))
    #expect(try first.acknowledge(position: #require(taken[152].envelope.position)))
    first.close()
    #expect(first.isEnded)
    #expect(try first.poll() == nil)
    #expect(throws: BusError.self) { try first.acknowledge(taken[160]) }

    let second = try bus.subscribe(durable: "n", to: "t")
    let again = try second.take(197)
    #expect(again.map(\.value) == (100..<300).filter { !(150...152).contains($0) })
    #expect(again.map(\.redelivered) == again.map { $0.value < 200 })
    #expect(try second.acknowledge(upTo: again[196]) == 197)
    #expect(try second.poll() == nil)
    let status = try #require(MirroredBus.durableSubscriptions(of: fixture.directory).first)
    #expect(status.unacknowledged == 0 && status.lag == 0 && status.position == status.claimed)
    #expect(status.members.map(\.process) == [UInt32(getpid())] && status.failure == nil)
  }

  /// The bus is closed and its segment removed in between, as by a reboot.
  @Test func goesOnInALaterLife() throws {
    let fixture = try MirroredFixture()
    for round in 0..<4 {
      let bus = try fixture.bus()
      let subscription = try bus.subscribe(
        durable: "n", to: "t", options: DurableOptions(start: .beginning))
      try bus.say(10 * round..<10 * round + 10)
      // What was left of the last round, and this one's without the last two.
      let taken = try subscription.take(round == 0 ? 10 : 12)
      #expect(taken.map(\.value) == Array(max(0, 10 * round - 2)..<10 * round + 10))
      _ = try subscription.acknowledge(upTo: taken[taken.count - 3])
      subscription.close()
      bus.close()
      if round % 2 == 0 { #expect(try SharedMemoryBus.clean(fixture.directory)) }
    }
  }

  @Test func beginsWhereItIsTold() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    try bus.say(0..<100, on: "t")
    try bus.say(100..<200, on: "t.u")
    try bus.say(200..<300, on: "other")
    let lines = try Disk.envelopes(fixture.file("t")) + Disk.envelopes(fixture.file("t.u"))
    for (name, start, first) in [
      ("a", .beginning, 0), ("b", .now, 300), ("c", .after(lines[41].id), 42),
      ("d", .since(lines[142].timestamp), 142), ("e", .after(lines[199].id), 300),
    ] as [(String, SubscriptionOptions.Start, Int)] {
      let subscription = try bus.subscribe(
        durable: name, to: "t", options: DurableOptions(start: start))
      let expected = Array(first..<max(200, first))
      #expect(try subscription.take(expected.count).map(\.value) == expected, "\(name)")
      #expect(try subscription.poll() == nil, "\(name)")
    }
    #expect(throws: BusError.self) {
      try bus.subscribe(
        durable: "f", to: "t",
        options: DurableOptions(start: .after(MessageID(process: 1, counter: 1))))
    }
    // The name was not used up by that.
    #expect(
      try bus.subscribe(durable: "f", to: "t", options: DurableOptions(start: .beginning))
        .take(200).count == 200)
  }

  @Test func membersDivideEverything() async throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let members = try (0..<4).map { _ in
      try bus.subscribe(durable: "n", to: "t", options: DurableOptions(prefetch: 16))
    }
    let count = 8000
    let heard = Lock<[[Int]]>([[], [], [], []])
    try await withHangGuard {
      try await onThreads(6) { index in
        if index >= 4 {
          let publisher = try bus.publisher(topic: Topic("t.\(index)"), sender: "s", type: "n")
          for number in 0..<count / 2 {
            try publisher.publish(RawJSON("\((index - 4) * (count / 2) + number)"))
          }
          return
        }
        while heard.withLock({ $0.reduce(0) { $0 + $1.count } }) < count {
          guard let delivery = try members[index].receive(timeout: .milliseconds(50)) else {
            continue
          }
          heard.withLock { $0[index].append(delivery.value) }
          #expect(!delivery.redelivered && delivery.gaps.isEmpty)
          try members[index].acknowledge(delivery)
        }
      }
    }
    let all = heard.withLock { $0 }
    #expect(all.flatMap { $0 }.sorted() == Array(0..<count))
    for mine in all {
      let ofOneTopic = mine.filter { $0 < count / 2 }
      #expect(ofOneTopic == ofOneTopic.sorted())
    }
  }

  @Test func whatIsClosedGoesToAnother() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let first = try bus.subscribe(durable: "n", to: "t")
    let second = try bus.subscribe(durable: "n", to: "t")
    try bus.say(0..<64)
    let taken = try first.take(10)
    #expect(try second.poll() == nil)
    let status = try MirroredBus.durableSubscriptions(of: fixture.directory)
    #expect(status.first?.members.map(\.unacknowledged) == [64, 0])
    #expect(try first.acknowledge(taken[3]))
    first.close()
    let rest = try second.take(63)
    let expected = (0..<64).filter { $0 != 3 }
    #expect(rest.map(\.value) == expected)
    #expect(rest.allSatisfy { $0.redelivered == ($0.value < 10) })
  }

  @Test func rejectedOnesComeAgainAndThenAreGivenUp() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let warnings = Lock<[BusWarning]>([])
    let dead = try bus.subscribe("dead-letter.n")
    var options = DurableOptions(retryLimit: 3, prefetch: 1)
    options.onWarning = { warning in warnings.withLock { $0.append(warning) } }
    let subscription = try bus.subscribe(durable: "n", options: options)
    try bus.say(0..<3)
    for attempt in 1...3 {
      let delivery = try #require(try subscription.take(1).first)
      #expect(delivery.value == 0 && delivery.attempt == attempt)
      #expect(try subscription.reject(delivery, reason: "not \"good\"\n"))
      #expect(try !subscription.reject(delivery, reason: "twice"))
    }
    #expect(try subscription.take(2).map(\.value) == [1, 2])
    let letter = try #require(try dead.receive(timeout: hangLimit)?.envelope)
    let original = try #require(Disk.lines(fixture.file("t")).first)
    #expect(
      letter.payload.description.hasPrefix(
        #"{"durable":"n","reason":"not \"good\"\n","attempts":3,"position":"#))
    #expect(letter.payload.description.contains(String(decoding: original, as: UTF8.self)))
    #expect(letter.type == "dead-letter" && letter.sender == "n")
    // It subscribes to everything, but not to its own dead letters.
    #expect(try subscription.receive(timeout: .milliseconds(300)) == nil)
    #expect(warnings.withLock { $0.count } == 1)
    #expect(try MirroredBus.durableSubscriptions(of: fixture.directory)[0].unacknowledged == 2)
  }

  @Test func whatNobodyAcknowledgesIsGivenUp() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let dead = try bus.subscribe("dead-letter.n")
    let options = DurableOptions(start: .beginning, retryLimit: 2)
    try bus.say(0..<5)
    for attempt in 1...2 {
      let subscription = try bus.subscribe(durable: "n", to: "t", options: options)
      let taken = try subscription.take(5)
      #expect(taken.allSatisfy { $0.attempt == attempt || $0.value == 5 })
      try subscription.acknowledge(taken[attempt])
      subscription.close()
      #expect(try dead.poll() == nil)
      try bus.say(5..<6)
    }
    // 5 has one attempt behind it, and one of them none.
    let last = try bus.subscribe(durable: "n", to: "t", options: options)
    #expect(try last.take(2).map(\.attempt) == [2, 1])
    #expect(try last.receive(timeout: .milliseconds(300)) == nil)
    let letters = try dead.take(3).compactMap { $0.envelope?.payload.description }
    #expect(letters.count == 3)
    #expect(try dead.receive(timeout: .milliseconds(300)) == nil)
    #expect(letters.allSatisfy { $0.contains(#""reason":"not acknowledged after 2 attempts""#) })
  }

  @Test func aLiveMemberThatTakesTooLongLosesIt() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let options = DurableOptions(redeliverAfter: .milliseconds(100))
    let slow = try bus.subscribe(durable: "n", to: "t", options: options)
    let quick = try bus.subscribe(durable: "n", to: "t", options: options)
    try bus.say(0..<2)
    let kept = try slow.take(1)
    let others = try quick.take(2)
    #expect(kept.map(\.value) == [0] && others.map(\.value) == [1, 0])
    #expect(others.map(\.attempt) == [1, 2])
    #expect(try !slow.reject(kept[0], reason: "too late"))
    // The work is done, whoever did it.
    #expect(try slow.acknowledge(kept[0]))
    #expect(try !quick.acknowledge(others[1]))
  }

  @Test func whoHasEnoughIsGivenNoMore() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let subscription = try bus.subscribe(
      durable: "n", to: "t", options: DurableOptions(prefetch: 4, unacknowledgedLimit: 10))
    try bus.say(0..<30)
    let taken = try subscription.take(10)
    #expect(try subscription.receive(timeout: .milliseconds(300)) == nil)
    try subscription.acknowledge(upTo: taken[4])
    #expect(try subscription.take(5).map(\.value) == [10, 11, 12, 13, 14])
    #expect(try subscription.receive(timeout: .milliseconds(300)) == nil)
  }

  @Test func tasksReadAndAcknowledge() async throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let subscription = try bus.subscribe(durable: "n", to: "t")
    try await withHangGuard {
      let reader = Task {
        var values: [Int] = []
        for try await delivery in subscription {
          values.append(delivery.value)
          if delivery.value == 7, !delivery.redelivered {
            _ = try await subscription.reject(delivery, reason: "again")
          } else {
            try await subscription.acknowledge(delivery)
          }
          if values.count == 501 { break }
        }
        return values
      }
      let sleeper = Task { () -> Int? in try await subscription.makeNext()?.value }
      sleeper.cancel()
      #expect(try await sleeper.value == nil)
      try await onThread { try bus.say(0..<500) }
      let values = try await reader.value
      let expected = ([7] + Array(0..<500)).sorted()
      #expect(values.sorted() == expected)
      let waiting = Task { () -> Int? in try await subscription.makeNext()?.value }
      try await Task.sleep(for: .milliseconds(50))
      bus.close()
      #expect(try await waiting.value == nil)
    }
    #expect(subscription.isEnded)
  }

  @Test func anOverrunMemberIsHealed() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let subscription = try bus.subscribe(durable: "n", to: "t")
    try bus.say(0..<5000)
    let taken = try subscription.take(5000)
    #expect(taken.map(\.value) == Array(0..<5000) && taken.allSatisfy { $0.gaps.isEmpty })
    #expect(try subscription.acknowledge(upTo: #require(taken.last)) == 5000)
  }
}

extension DurableSubscription {
  fileprivate func makeNext() async throws -> DurableDelivery? {
    var iterator = makeAsyncIterator()
    return try await iterator.next()
  }
}
