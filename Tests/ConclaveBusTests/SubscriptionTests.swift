import BusTesting
import SharedRing
import Testing

@testable import ConclaveBus

@Suite struct SubscriptionTests {
  /// Damage is told behind what was delivered before it, once, and then the subscription has ended.
  @Test func failureComesInItsPlace() throws {
    let subscription = Subscription(prefix: .all, source: ScriptedSource(failsAfter: 3))
    for seq in 1...3 {
      guard case .envelope(let envelope)? = try subscription.poll() else {
        Issue.record("no message \(seq)")
        return
      }
      #expect(envelope.seq == UInt64(seq))
      #expect(!subscription.isEnded)
    }
    #expect(throws: BusError.self) { try subscription.poll() }
    #expect(subscription.isEnded)
    #expect(try subscription.poll() == nil)
    #expect(try subscription.drain { _, _ in } == 0)
  }

  /// What was lent before a failure is kept, unless it need not be what was published; what came
  /// with an earlier call is kept in any case.
  @Test(arguments: [(false, 3), (true, 2)]) func whatComesBeforeAFailure(
    lendsNonsense: Bool, kept: Int
  ) throws {
    let source = ScriptedSource(failsAfter: 3, hasLentNonsense: lendsNonsense)
    var deliveries: [Delivery] = []
    _ = try source.take(limit: 2, into: &deliveries)
    #expect(throws: BusError.self) { try source.take(limit: 2, into: &deliveries) }
    let numbers = deliveries.map { delivery in
      guard case .envelope(let envelope) = delivery else { return UInt64(0) }
      return envelope.seq
    }
    #expect(numbers == (1...UInt64(kept)).map { $0 })
  }

  @Test func drainTellsFetchedFailureToo() throws {
    let subscription = Subscription(prefix: .all, source: ScriptedSource(failsAfter: 3))
    _ = try subscription.poll()
    var seen: [UInt64] = []
    #expect(throws: BusError.self) { try subscription.drain { view, _ in seen.append(view.seq) } }
    #expect(seen == [2, 3])
    #expect(subscription.isEnded)
  }

  /// The end, once one reader has seen it, is the end for those who sleep.
  @Test func failureWakesOtherReaders() async throws {
    let source = ScriptedSource(failsAfter: 0)
    let subscription = Subscription(prefix: .all, source: source)
    async let sleeper = onThread {
      subscription.wait()
      return try subscription.receive()
    }
    _ = try await onThread { try waitUntil("a sleeper") { source.isParked ? true : nil } }
    #expect(throws: BusError.self) { try subscription.poll() }
    #expect(try await sleeper == nil)
  }

  /// However many blocking jobs there are, each gets a thread: none waits for another to end.
  @Test func blockingJobsDoNotWaitForEachOther() async {
    let gate = Gate(40)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<40 { group.addTask { await runBlocking { gate.pass() } } }
    }
  }
}

/// Delivers messages 1 to n and then throws; a park lasts until a wake-up.
private final class ScriptedSource: SubscriptionSource {
  private let failsAfter: UInt64
  let hasLentNonsense: Bool
  private let state = Lock((delivered: UInt64(0), parked: false, woken: false))

  init(failsAfter: UInt64, hasLentNonsense: Bool = false) {
    self.failsAfter = failsAfter
    self.hasLentNonsense = hasLentNonsense
  }

  var isParked: Bool { state.withLock { $0.parked } }

  func drain(
    limit: Int, onGap: (Gap) -> Void, onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) throws(BusError) -> DrainResult {
    for count in 0..<limit {
      let seq = state.withLock { state in
        state.delivered += 1
        return state.delivered
      }
      guard seq <= failsAfter else { throw BusError(.corrupt, "message \(count) is damaged") }
      let envelope = Envelope(
        id: MessageID(process: 1, counter: seq), seq: seq,
        timestamp: Timestamp(nanosecondsSinceEpoch: 1), sender: "s", topic: Topic(checked: "t"),
        type: "x", payload: try RawJSON("1"))
      envelope.lend(onMessage)
    }
    return DrainResult(count: limit, ended: false)
  }

  func park(until deadline: ContinuousClock.Instant?) {
    state.withLock { $0.parked = true }
    while !state.withLock({ $0.woken }) { pauseThread(1) }
  }

  func wake() { state.withLock { $0.woken = true } }
  func close() {}
  func cancel() {}
  var losses: SubscriptionLosses { SubscriptionLosses() }
}
