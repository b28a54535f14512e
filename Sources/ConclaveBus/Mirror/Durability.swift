/// What must be true of a message before its publish returns.
public enum Durability: String, Hashable, Sendable, CaseIterable, Comparable {
  /// It is on the bus: every subscriber will see it, and the mirror, if there is one, soon after.
  case ring
  /// It is in the topic's file: it survives the death of every process, not a power cut.
  case mirrored
  /// It is on the disk: it survives a power cut.
  case synced

  public static func < (left: Durability, right: Durability) -> Bool {
    left.rank < right.rank
  }

  private var rank: Int {
    switch self {
    case .ring: 0
    case .mirrored: 1
    case .synced: 2
    }
  }
}
