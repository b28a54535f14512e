import ConclaveBus

/// Prints what a subscription delivers.
struct EnvelopePrinter {
  let output: Output
  let notes: DeliveryNotes
  /// How many messages are still wanted.
  var remaining: Int

  /// Until everything wanted has come, the subscription has ended, or no message came for `idle`:
  /// news of losses prolong nothing.
  ///
  /// - Throws: ``OutputClosed``, ``ToolError``, or what reading the subscription throws.
  mutating func follow(_ subscription: Subscription, idle: Duration?) throws {
    var deadline = idle.map { ContinuousClock.now + $0 }
    while remaining > 0 {
      let ready = try printReady(subscription)
      if ready.messages > 0 {
        deadline = idle.map { ContinuousClock.now + $0 }
        continue
      }
      // Nothing more is ready: whoever reads us gets every line now.
      try output.flush()
      if subscription.isEnded { return }
      let left = deadline.map { ContinuousClock.now.duration(to: $0) }
      if let left, left <= .zero { return }
      if ready.deliveries == 0 { subscription.wait(timeout: left) }
    }
    try output.flush()
  }

  /// Prints what is there, some hundred deliveries at most; returns how many there were.
  private mutating func printReady(
    _ subscription: Subscription
  ) throws -> (deliveries: Int, messages: Int) {
    var messages = 0
    var failure: (any Error)?
    let deliveries = try subscription.drain(
      // Never more than are wanted: what is drained counts as read.
      limit: min(256, remaining), onGap: notes.report,
      onMessage: { envelope, payload in
        messages += 1
        guard failure == nil else { return }
        envelope.appendJSON(payload: payload, to: &output.bytes)
        output.bytes.append(UInt8(ascii: "\n"))
        do { try output.flushIfLarge() } catch { failure = error }
      })
    if let failure { throw failure }
    remaining -= messages
    return (deliveries, messages)
  }
}
