import SharedRing

/// What `SharedMemoryBus.status(of:)` sees when it looks at a segment from outside, without
/// disturbing it. Numbers that participants wrote are shown, never trusted.
public struct SharedMemoryStatus: Hashable, Sendable {
  /// A publisher's place in the segment.
  public struct Lane: Hashable, Sendable {
    public var index: Int
    /// Whether its owner's lock is held: the owner lives (or is stopped).
    public var isLive: Bool
    /// The owner's pid as it announced it.
    public var process: UInt32
    /// See ``Envelope/incarnation``.
    public var incarnation: UInt64
    /// Messages published by this incarnation.
    public var messages: UInt64
  }

  /// A subscription's row in the segment.
  public struct Subscriber: Hashable, Sendable {
    public var index: Int
    public var isLive: Bool
    public var process: UInt32
    public var hasBackPressure: Bool
    /// The prefix that it asked for.
    public var prefix: String
    /// The next position that it will read, as it last announced it.
    public var position: UInt64
    /// How many positions it is behind.
    public var lag: UInt64
    /// Messages that it reported as lost.
    public var lost: UInt64
  }

  /// What a look from outside finds that no participant wrote. The messages themselves are not
  /// looked at: who receives a damaged one is warned.
  public struct Damage: Hashable, Sendable {
    /// How many slots of the order ring make no sense.
    public var slots = 0
    /// The indices of the lanes whose headers make no sense, rising.
    public var lanes: [Int] = []
    /// Whether the next slot is among them: then nothing can be published until the segment is
    /// removed and made anew.
    public var isBlocked = false

    public var isNone: Bool { slots == 0 && lanes.isEmpty && !isBlocked }
  }

  /// The segment's file.
  public var path: String
  /// Bytes of the file, and of them those that occupy memory.
  public var bytes: UInt64
  public var reservedBytes: UInt64
  public var layoutVersion: UInt32
  /// 32 hexadecimal digits, different for each segment ever made.
  public var generation: String
  public var created: Timestamp
  public var slotCount: Int
  public var laneCount: Int
  public var laneBytes: Int
  public var subscriberCount: Int
  public var messageLimit: Int
  /// The position that the next record will get: how many records there were.
  public var position: UInt64
  /// Lanes that have or had an owner.
  public var lanes: [Lane]
  /// Rows that have an owner, or had one that died.
  public var subscribers: [Subscriber]
  /// What no participant wrote.
  public var damage = Damage()
  /// How far the durable mirror is; nil when the segment was never mirrored.
  public var mirror: Mirror?
}

extension SharedMemoryStatus.Damage: CustomStringConvertible {
  /// In words; "none" when there is none.
  public var description: String {
    if isNone { return "none" }
    var parts: [String] = []
    if slots > 0 { parts.append("\(slots) \(slots == 1 ? "slot" : "slots") of the order ring") }
    if !lanes.isEmpty { parts.append("\(lanes.count) \(lanes.count == 1 ? "lane" : "lanes")") }
    if parts.isEmpty { parts = ["the next slot of the order ring"] }
    let verb = slots + lanes.count > 1 ? "hold" : "holds"
    return parts.joined(separator: " and ") + " \(verb) what no participant wrote"
      + (isBlocked ? ", and nothing can be published any more" : "")
  }

  init(_ damage: RingDamage) {
    self.init(slots: damage.slots, lanes: damage.lanes, isBlocked: damage.isBlocked)
  }
}
