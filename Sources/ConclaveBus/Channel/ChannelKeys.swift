/// The idempotency keys that a ``ChannelBus`` remembers, the oldest first.
struct ChannelKeys {
  struct Name: Hashable {
    let topic: Topic
    let key: IdempotencyKey
  }

  private let capacity: Int
  private let window: Duration
  private var known: Set<Name> = []
  private var byAge = RingQueue<(name: Name, time: ContinuousClock.Instant)>()

  init(_ options: IdempotencyOptions) {
    capacity = options.boundedCapacity
    window = options.window
  }

  /// Whether the key was used within the window before `now`. O(keys that have expired meanwhile).
  mutating func contains(_ name: Name, now: ContinuousClock.Instant) -> Bool {
    while let oldest = byAge.updateFirst({ $0 }), oldest.time.duration(to: now) >= window {
      forgetOldest()
    }
    return known.contains(name)
  }

  /// Remembers a key that is not known.
  mutating func insert(_ name: Name, now: ContinuousClock.Instant) {
    known.insert(name)
    byAge.append((name, now))
    if byAge.count > capacity { forgetOldest() }
  }

  private mutating func forgetOldest() {
    if let oldest = byAge.popFirst() { known.remove(oldest.name) }
  }
}
