import CShim
import ConclaveBus

/// A subscriber's part: reads everything that is lent to it and checks it, until everything is
/// accounted for, or until nothing more comes.
struct SubscribeRun: ~Copyable {
  /// How long there must have been nothing, after the publishers' end, to call it the end.
  private static let idleNanoseconds: UInt64 = 2_000_000_000
  private static let reportNanoseconds: UInt64 = 100_000_000
  /// Deliveries between two looks at the clock.
  private static let clockInterval = 4096

  private let total: UInt64
  private let isPaced: Bool
  private let subscription: Subscription
  private let link: WorkerLink
  private var check: DeliveryCheck
  private var latency = LatencyHistogram()
  private var lastDelivery: UInt64
  private var lastReport: UInt64
  private var sinceClock = 0
  /// When it was first seen that nothing came any more after the publishers' end.
  private var idleSince: UInt64?

  init(_ plan: StressPlan, subscription: Subscription, link: WorkerLink) {
    total = UInt64(plan.messages)
    isPaced = plan.rate != nil
    self.subscription = subscription
    self.link = link
    check = DeliveryCheck(shares: plan.shares, payloadLength: plan.payloadBytes)
    lastDelivery = conclave_monotonic_ns()
    lastReport = lastDelivery
  }

  mutating func run() throws(BusError) -> SubscriberResult {
    while check.accounted < total, !link.isAbandoned {
      let count = try drain()
      sinceClock += count
      guard count == 0 || sinceClock >= SubscribeRun.clockInterval else { continue }
      let now = takeTime()
      guard count == 0 else { continue }
      if isOver(now) { break }
      subscription.wait(timeout: .milliseconds(50))
    }
    _ = takeTime()
    try lookForMore()
    return result
  }

  private mutating func drain() throws(BusError) -> Int {
    let subscription = subscription
    guard isPaced else {
      return try subscription.drain(
        limit: 1024, onGap: { check.accept($0) },
        onMessage: { view, payload in check.accept(view, payload) })
    }
    return try subscription.drain(
      limit: 1024, onGap: { check.accept($0) },
      onMessage: { view, payload in
        // The time first: checking is not part of the way.
        let now = conclave_monotonic_ns()
        guard check.accept(view, payload) else { return }
        let due = check.due(payload)
        latency.record(now > due ? now - due : 0)
      })
  }

  /// Notes when the last delivery was handled, and reports now and then.
  private mutating func takeTime() -> UInt64 {
    let now = conclave_monotonic_ns()
    if sinceClock > 0 {
      lastDelivery = now
      idleSince = nil
      sinceClock = 0
    }
    if now - lastReport >= SubscribeRun.reportNanoseconds {
      link.send(.progress(check.accounted))
      lastReport = now
    }
    return now
  }

  /// Whether nothing has come for long enough since the publishers' end. Only asked when there was
  /// nothing just now.
  private mutating func isOver(_ now: UInt64) -> Bool {
    guard link.hasEnded else { return false }
    let since = idleSince ?? now
    idleSince = since
    return now - since >= SubscribeRun.idleNanoseconds
  }

  /// Everything is there; whatever still comes once the publishers have ended is too much.
  private mutating func lookForMore() throws(BusError) {
    while !link.hasEnded, !link.isAbandoned {
      subscription.wait(timeout: .milliseconds(1))
      _ = try drain()
    }
    while try drain() > 0 {}
  }

  private var result: SubscriberResult {
    SubscriberResult(
      delivered: check.delivered, gapsReported: check.gapsReported,
      gapMismatches: check.gapMismatches, duplicates: check.duplicates,
      outOfOrder: check.outOfOrder, corrupt: check.corrupt, finished: lastDelivery,
      latency: isPaced ? latency : nil)
  }
}
