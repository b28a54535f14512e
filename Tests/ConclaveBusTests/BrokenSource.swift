import SharedRing

@testable import ConclaveBus

/// What a ``BrokenBus`` hands to its subscriptions: the deliveries of a sound one, damaged on the
/// way.
final class BrokenSource: SubscriptionSource {
  private struct State {
    var seen: UInt64 = 0
    var heldGaps: [Gap] = []
    var heldMessage: Envelope?
  }

  private let inner: Subscription
  private let prefix: TopicPrefix
  private let index: Int
  private let fault: Fault?
  private let state = Lock(State())

  init(_ inner: Subscription, prefix: TopicPrefix, index: Int, fault: Fault?) {
    self.inner = inner
    self.prefix = prefix
    self.index = index
    self.fault = fault
  }

  func drain(
    limit: Int, onGap: (Gap) -> Void, onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) throws(BusError) -> DrainResult {
    var deliveries: [Delivery] = []
    let result = try inner.source.take(limit: limit, into: &deliveries)
    let damaged = state.withLock { state in deliveries.flatMap { damage($0, &state) } }
    for delivery in damaged {
      switch delivery {
      case .gap(let gap): onGap(gap)
      case .envelope(let envelope): envelope.lend(onMessage)
      }
    }
    return DrainResult(count: damaged.count, ended: result.ended)
  }

  func park(until deadline: ContinuousClock.Instant?) { inner.source.park(until: deadline) }
  func wake() { if fault != .ignoresWake { inner.source.wake() } }
  func close() { inner.source.close() }
  func cancel() { inner.source.cancel() }
  var losses: SubscriptionLosses { inner.source.losses }

  private func damage(_ delivery: Delivery, _ state: inout State) -> [Delivery] {
    switch delivery {
    case .gap(let gap): damage(gap, &state)
    case .envelope(let envelope): damage(envelope, &state)
    }
  }

  private func damage(_ gap: Gap, _ state: inout State) -> [Delivery] {
    switch fault {
    case .hidesGaps: return []
    case .understatesGaps where gap.count > 1:
      return [.gap(gap.with(gap.seq.lowerBound...gap.seq.upperBound - 1))]
    case .tellsGapsLate:
      state.heldGaps.append(gap)
      return []
    default: return [.gap(gap)]
    }
  }

  private func damage(_ envelope: Envelope, _ state: inout State) -> [Delivery] {
    state.seen += 1
    let unharmed = Delivery.envelope(envelope)
    switch fault {
    case .skipsANumber where envelope.seq > 40:
      return [.envelope(envelope.with(seq: envelope.seq + 1))]
    case .deliversTwice where state.seen == 7: return [unharmed, unharmed]
    case .losesAMessage where state.seen % 40 == 0: return []
    case .losesTheFirst where state.seen == 1: return []
    case .changesPayloads:
      let trimmed = envelope.payload.bytes.filter { $0 != UInt8(ascii: "\r") }
      return [.envelope(envelope.with(payload: (try? RawJSON(trimmed)) ?? envelope.payload))]
    case .repeatsIDs:
      let id = MessageID(process: envelope.id.process, counter: envelope.id.counter / 2)
      return [.envelope(envelope.with(id: id))]
    case .countsPerProcess: return [.envelope(envelope.with(seq: envelope.position.map { $0 + 1 }))]
    case .swapsNeighbours: return swap(envelope, &state)
    case .matchesByLetters:
      return envelope.topic.name.hasPrefix(prefix.name) ? [unharmed] : []
    case .tellsGapsLate:
      defer { state.heldGaps = [] }
      return state.heldGaps.map(Delivery.gap) + [unharmed]
    default: return [unharmed]
    }
  }

  /// In the first subscription only, some messages change places with another sender's next one.
  private func swap(_ envelope: Envelope, _ state: inout State) -> [Delivery] {
    if let held = state.heldMessage.take() {
      let isHarmful = held.sender != envelope.sender
      return isHarmful
        ? [.envelope(envelope), .envelope(held)] : [.envelope(held), .envelope(envelope)]
    }
    guard index == 0, state.seen % 11 == 5 else { return [.envelope(envelope)] }
    state.heldMessage = envelope
    return []
  }
}

extension Gap {
  fileprivate func with(_ seq: ClosedRange<UInt64>) -> Gap {
    Gap(
      sender: sender, topic: topic, process: process, incarnation: incarnation, seq: seq,
      reason: reason)
  }
}

extension Envelope {
  fileprivate func with(
    id: MessageID? = nil, seq: UInt64? = nil, payload: RawJSON? = nil
  ) -> Envelope {
    Envelope(
      id: id ?? self.id, seq: seq ?? self.seq, timestamp: timestamp, sender: sender, topic: topic,
      type: type, payload: payload ?? self.payload, incarnation: incarnation, position: position)
  }
}
