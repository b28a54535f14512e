/// The beginning of a message that travels in several records: what was received so far.
public struct RingChain: Hashable, Sendable {
  public let lane: Int
  /// Of the lane's holder.
  public let incarnation: UInt64
  /// The length of the whole message in bytes.
  public let total: Int
  public let bytes: [UInt8]

  public init(lane: Int, incarnation: UInt64, total: Int, bytes: [UInt8]) {
    self.lane = lane
    self.incarnation = incarnation
    self.total = total
    self.bytes = bytes
  }
}
