/// The beginning of a message that travels in several records: what was received so far.
public struct RingChain: Hashable, Sendable {
  public let lane: Int
  /// The position of its first record, which no other message has.
  public let beginning: UInt64
  /// Of the lane's holder.
  public let incarnation: UInt64
  /// The length of the whole message in bytes.
  public let total: Int
  public let bytes: [UInt8]

  public init(lane: Int, beginning: UInt64, incarnation: UInt64, total: Int, bytes: [UInt8]) {
    self.lane = lane
    self.beginning = beginning
    self.incarnation = incarnation
    self.total = total
    self.bytes = bytes
  }
}
