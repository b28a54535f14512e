import CShim

/// How large a ring is. Chosen by whoever creates the segment; who joins later takes it as it is.
public struct RingGeometry: Hashable, Sendable {
  /// Slots of the order ring: how many records fit between the fastest publisher and the slowest
  /// subscriber. A power of two, 64 to 1,048,576.
  public var slotCount: Int
  /// Publishers (processes) at once, 1 to 240.
  public var laneCount: Int
  /// Data of one publisher in bytes: a power of two, 16 KiB to 16 MiB. Occupies memory only once
  /// the lane is claimed. The slot count times the record limit (a quarter of this, at most 64 KiB)
  /// must not exceed 8 GiB.
  public var laneBytes: Int
  /// Subscriptions at once, 1 to 240.
  public var subscriptionCount: Int
  /// The largest message in bytes, 1 to 1 GiB, heads included: on a bus 1,024 bytes of it are for
  /// the names, and the rest is the largest payload.
  public var messageLimit: Int

  /// Measured with 50 publishers of 256-byte payloads on two cores: lanes of 256 KiB did better
  /// than of 64 KiB or 1 MiB. 50 of them and the rest fit into a /dev/shm of 64 MiB.
  public init(
    slotCount: Int = 65_536, laneCount: Int = 128, laneBytes: Int = 262_144,
    subscriptionCount: Int = 64, messageLimit: Int = 16_777_216 + 1024
  ) {
    self.slotCount = slotCount
    self.laneCount = laneCount
    self.laneBytes = laneBytes
    self.subscriptionCount = subscriptionCount
    self.messageLimit = messageLimit
  }

  init(_ raw: conclave_geometry) {
    self.init(
      slotCount: Int(raw.slot_count), laneCount: Int(raw.lane_count),
      laneBytes: Int(raw.lane_bytes), subscriptionCount: Int(raw.row_count),
      messageLimit: Int(raw.message_bytes))
  }

  /// nil when a number does not even fit its field; the other bounds are the shim's to check.
  var raw: conclave_geometry? {
    guard let slots = UInt32(exactly: slotCount), let lanes = UInt32(exactly: laneCount),
      let bytes = UInt32(exactly: laneBytes), let rows = UInt32(exactly: subscriptionCount),
      let message = UInt32(exactly: messageLimit)
    else { return nil }
    return conclave_geometry(
      slot_count: slots, lane_count: lanes, lane_bytes: bytes, row_count: rows,
      message_bytes: message, unused: 0)
  }
}
