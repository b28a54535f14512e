import SharedRing

/// Counts what a subscription misses and tells whoever wants to know. Safe from any thread.
final class FileReporter: Sendable {
  private let counted = Lock(SubscriptionLosses())
  private let onWarning: (@Sendable (BusWarning) -> Void)?
  private let heedless: Topic?

  /// - Parameter heedless: a topic of which nobody misses what retention removes.
  init(onWarning: (@Sendable (BusWarning) -> Void)?, heedless: Topic? = nil) {
    self.onWarning = onWarning
    self.heedless = heedless
  }

  var losses: SubscriptionLosses { counted.withLock { $0 } }

  func damagedLine(in file: String, at offset: UInt64, _ reason: String) {
    counted.withLock { $0.damaged += 1 }
    onWarning?(.damagedLine(file: file, offset: offset, reason: reason))
  }

  func unusableFile(_ file: String, _ reason: String) {
    counted.withLock { $0.damaged += 1 }
    onWarning?(.unusableFile(file: file, reason: reason))
  }

  func gap(of count: UInt64) {
    counted.withLock { $0.noteGap(of: count) }
  }

  /// - Parameter isLoss: whether the subscription was to have at least one of them.
  func messagesRemoved(of topic: Topic, places: UInt64, isLoss: Bool) {
    guard topic != heedless else { return }
    if isLoss { counted.withLock { $0.removals += 1 } }
    onWarning?(.messagesRemoved(topic: topic, places: places))
  }

  func filesRemoved(of topic: Topic, _ numbers: ClosedRange<UInt64>) {
    counted.withLock { $0.removals += 1 }
    onWarning?(.filesRemoved(topic: topic, numbers: numbers))
  }

  func warn(_ warning: BusWarning) { onWarning?(warning) }
}
