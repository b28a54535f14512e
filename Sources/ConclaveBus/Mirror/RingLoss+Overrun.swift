import SharedRing

extension RingLoss {
  /// Whether the ring went on without the subscriber.
  var isOverrun: Bool {
    switch self {
    case .lapped, .overwritten, .headless: true
    case .damaged, .abandoned: false
    }
  }
}
