import CShim

/// What a look at a ring found that no participant wrote. Records themselves are not looked at.
public struct RingDamage: Hashable, Sendable {
  /// How many slots of the order ring make no sense.
  public let slots: Int
  /// The lanes whose headers make no sense, rising.
  public let lanes: [Int]
  /// Whether the next position cannot be published, so that nothing ever will be.
  public let isBlocked: Bool

  public init(slots: Int, lanes: [Int], isBlocked: Bool) {
    self.slots = slots
    self.lanes = lanes
    self.isBlocked = isBlocked
  }

  /// O(slots of the ring); takes no live ring for a damaged one.
  static func find(_ view: UnsafePointer<conclave_view>) -> RingDamage {
    let found = unsafe conclave_damage_find(view)
    let words = [found.lanes.0, found.lanes.1, found.lanes.2, found.lanes.3]
    return RingDamage(
      slots: Int(found.slots),
      lanes: (0..<256).filter { words[$0 / 64] >> UInt64($0 % 64) & 1 == 1 },
      isBlocked: found.blocked != 0)
  }
}
