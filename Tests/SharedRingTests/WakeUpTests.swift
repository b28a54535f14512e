import BusTesting
import CShim
import Glibc
import SharedRing
import Synchronization
import Testing

@Suite struct WakeUpTests {
  /// Each answers the other: every message wakes a sleeper.
  @Test func pingPong() async throws {
    let ring = try TestRing()
    let readers = try (0..<2).map { _ in try ring.subscriber() }
    try await withHangGuard {
      try await onThreads(2) { index in
        let publisher = try ring.publisher()
        var seen = 0
        for round in 0..<3000 {
          if index == 0 { try publisher.publish(numbered(0, round)) }
          // Both see both: the other's message of this round.
          while seen < 2 * round + (index == 0 ? 2 : 1) {
            seen += readers[index].readAll().messages.count
            if seen < 2 * round + (index == 0 ? 2 : 1) {
              readers[index].park(untilNanoseconds: .max)
            }
          }
          if index == 1 { try publisher.publish(numbered(1, round)) }
        }
      }
    }
  }

  @Test func allSleepersWake() async throws {
    let ring = try TestRing(RingGeometry(slotCount: 64, laneCount: 1, laneBytes: 16_384))
    let publisher = try ring.publisher()
    let readers = try (0..<4).map { _ in try ring.patientSubscriber() }
    try await withHangGuard {
      try await onThreads(5) { index in
        if index < 4 {
          #expect(collect(500, from: readers[index]).messages.count == 500)
        } else {
          for number in 0..<500 {
            try publisher.publish(numbered(0, number), wait: .untilRoom(RingCancellation()))
          }
        }
      }
    }
  }

  /// An interruption that comes before the sleep ends the next one.
  @Test func interruptionIsNotLost() async throws {
    let ring = try TestRing()
    let subscriber = try ring.subscriber()
    try await withHangGuard {
      try await onThread {
        for _ in 0..<100 {
          subscriber.interrupt()
          subscriber.park(untilNanoseconds: .max)
        }
      }
    }
  }

  /// A publisher that dies between its swap and its wake-up tells nobody: whoever watches does, and
  /// all sleepers get the message, those who do not watch as well.
  @Test(arguments: [false, true])
  func whatNobodyWasToldIsNoticed(publisherIsThere: Bool) async throws {
    let ring = try TestRing()
    let early = publisherIsThere ? try ring.publisher() : nil
    let readers = try (0..<4).map { _ in try ring.subscriber() }
    let asleep = Atomic<Int>(0)
    try await withHangGuard {
      try await onThreads(5) { index in
        guard index == 4 else {
          asleep.wrappingAdd(1, ordering: .sequentiallyConsistent)
          #expect(collect(2, from: readers[index]).messages.count == 2)
          return
        }
        while asleep.load(ordering: .sequentiallyConsistent) < 4 { sched_yield() }
        for number in 0..<2 {
          // Long enough for the election of a watchman.
          usleep(100_000)
          let publisher = try early ?? ring.publisher()
          try publisher.publish(numbered(0, number), wakes: false)
        }
      }
    }
  }

  /// The watchman goes without a record to read: another must take his place.
  @Test func theWatchIsHandedOn() async throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let readers = try (0..<3).map { _ in try ring.subscriber() }
    let gone = Atomic<Int>(0)
    try await withHangGuard {
      try await onThreads(4) { index in
        switch index {
        case 0, 1:
          // In turn, so that each of them watches and leaves.
          for _ in 0..<3 + index {
            readers[index].park(untilNanoseconds: conclave_monotonic_ns() + 70_000_000)
          }
          gone.wrappingAdd(1, ordering: .sequentiallyConsistent)
        case 2: #expect(collect(1, from: readers[2]).messages.count == 1)
        default:
          while gone.load(ordering: .sequentiallyConsistent) < 2 { sched_yield() }
          try publisher.publish(numbered(0, 0), wakes: false)
        }
      }
    }
  }

  @Test func leavingFromAnotherThread() async throws {
    for _ in 0..<50 {
      let ring = try TestRing()
      let subscriber = try ring.subscriber()
      try await withHangGuard {
        try await onThreads(2) { index in
          if index == 0 {
            for _ in 0..<3 { subscriber.park(untilNanoseconds: 0) }
          } else {
            subscriber.leave()
            subscriber.interrupt()
          }
        }
      }
      #expect(subscriber.readAll() == Received())
    }
  }

  /// Sleepers and wakers on one event, without the limit that would hide a lost wake-up. What is
  /// told is how often a sleeper had to be saved by its deadline: 0.
  @Test func noWakeUpIsLost() async throws {
    let event = Event()
    let work = Atomic<Int>(0)
    let saved = Atomic<Int>(0)
    let rounds = 20_000
    let acknowledged = (0..<3).map { _ in Counter() }
    try await withHangGuard {
      try await onThreads(4) { index in
        if index == 3 {
          for round in 1...rounds {
            work.store(round, ordering: .sequentiallyConsistent)
            event.signal()
            while acknowledged.contains(where: { $0.value < round }) { sched_yield() }
          }
        } else {
          for round in 1...rounds {
            while work.load(ordering: .sequentiallyConsistent) < round {
              let ticket = event.prepare()
              guard work.load(ordering: .sequentiallyConsistent) < round else { break }
              if event.wait(ticket, nanoseconds: 1_000_000_000) != 0 {
                saved.wrappingAdd(1, ordering: .relaxed)
              }
            }
            acknowledged[index].value = round
          }
        }
      }
    }
    let count = saved.load(ordering: .relaxed)
    if count > 0 { print("saved by the deadline: \(count) of \(rounds) rounds") }
  }
}

private final class Counter: Sendable {
  private let stored = Atomic<Int>(0)
  var value: Int {
    get { stored.load(ordering: .sequentiallyConsistent) }
    set { stored.store(newValue, ordering: .sequentiallyConsistent) }
  }
}

/// A `conclave_event` at an address that does not change.
@safe
private final class Event: Sendable {
  /// Atomic inside.
  private nonisolated(unsafe) let raw: UnsafeMutablePointer<conclave_event>

  init() {
    unsafe raw = .allocate(capacity: 1)
    unsafe conclave_event_init(raw)
  }

  deinit { unsafe raw.deallocate() }

  func prepare() -> UInt32 { unsafe conclave_event_prepare(raw) }
  func signal() { unsafe conclave_event_signal(raw) }
  func wait(_ ticket: UInt32, nanoseconds: UInt64) -> Int32 {
    unsafe conclave_event_wait(raw, ticket, conclave_monotonic_ns() + nanoseconds)
  }
}
