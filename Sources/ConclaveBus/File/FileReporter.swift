import SharedRing

/// Counts what a subscription misses and tells whoever wants to know. Safe from any thread.
final class FileReporter: Sendable {
  private let counted = Lock(SubscriptionLosses())
  private let onWarning: (@Sendable (BusWarning) -> Void)?

  init(onWarning: (@Sendable (BusWarning) -> Void)?) { self.onWarning = onWarning }

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

  func warn(_ warning: BusWarning) { onWarning?(warning) }
}
