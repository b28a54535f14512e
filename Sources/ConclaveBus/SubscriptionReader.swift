/// What one reader of a ``Subscription`` at a time works on: deliveries that were copied out of the
/// source ahead of time, so that the source is locked once for many of them.
struct SubscriptionReader {
  /// Newest first, so that handing out the oldest moves nothing and keeps nothing alive.
  private var ready: [Delivery] = []
  /// The source will deliver nothing more; `ready` and `failure` may still hold something.
  private(set) var ended = false
  private var failure: BusError?
  private var fetchLimit = 8

  /// The greatest number of deliveries that are fetched at a time.
  private static let mostFetched = 64
  /// Fetch fewer when what was fetched last had more bytes of payload than this.
  private static let fetchedBytes = 1 << 20

  var hasReady: Bool { !ready.isEmpty || failure != nil }
  var isExhausted: Bool { ended && !hasReady }

  mutating func next(from source: any SubscriptionSource) throws(BusError) -> Delivery? {
    if ready.isEmpty, !ended { fetch(from: source) }
    if let delivery = ready.popLast() { return delivery }
    try throwFailure()
    return nil
  }

  mutating func drain(
    _ source: any SubscriptionSource, limit: Int, onGap: (Gap) -> Void,
    onMessage: (borrowing EnvelopeView, RawSpan) -> Void
  ) throws(BusError) -> Int {
    var handed = 0
    while handed < limit, let delivery = ready.popLast() {
      switch delivery {
      case .envelope(let envelope): envelope.lend(onMessage)
      case .gap(let gap): onGap(gap)
      }
      handed += 1
    }
    if handed < limit { try throwFailure() }
    guard handed < limit, !ended else { return handed }
    do throws(BusError) {
      let result = try source.drain(limit: limit - handed, onGap: onGap, onMessage: onMessage)
      ended = result.ended
      return handed + result.count
    } catch {
      ended = true
      throw error
    }
  }

  mutating func discard() {
    ready = []
    failure = nil
    ended = true
  }

  private mutating func fetch(from source: any SubscriptionSource) {
    do throws(BusError) {
      ended = try source.take(limit: fetchLimit, into: &ready).ended
    } catch {
      // What came before the damage comes first.
      ended = true
      failure = error
    }
    adaptFetchLimit()
    ready.reverse()
  }

  /// Fetching ahead is for small messages; 64 of the largest would be a gigabyte.
  private mutating func adaptFetchLimit() {
    let bytes = ready.reduce(0) { sum, delivery in
      if case .envelope(let envelope) = delivery { sum + envelope.payload.bytes.count } else { sum }
    }
    fetchLimit =
      bytes > SubscriptionReader.fetchedBytes
      ? max(1, fetchLimit / 8) : min(SubscriptionReader.mostFetched, fetchLimit * 2)
  }

  private mutating func throwFailure() throws(BusError) {
    guard let error = failure else { return }
    failure = nil
    throw error
  }
}
