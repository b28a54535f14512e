import CShim

/// The numberings of one lane as its holder keeps them: who lost messages compares these with what
/// it has seen.
public struct RingStreams: Hashable, Sendable {
  /// One numbering: the key it was added under and the number of its last published message.
  public struct Entry: Hashable, Sendable {
    public let key: [UInt8]
    public let number: UInt64
  }

  public let lane: Int
  public let incarnation: UInt64
  public let process: UInt32
  public let entries: [Entry]

  /// Reads all lanes that have or had a holder. O(lanes x streams); allocates.
  static func read(_ view: UnsafePointer<conclave_view>) -> [RingStreams] {
    let words = Int(CONCLAVE_LANE_HEADER_BYTES) / 8
    return unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: words) { copy in
      unsafe copy.initialize(repeating: 0)
      var all: [RingStreams] = []
      for lane in unsafe 0..<view.pointee.geometry.lane_count {
        var incarnation: UInt64 = 0
        let bytes = unsafe conclave_streams_copy(view, lane, copy.baseAddress, &incarnation)
        guard bytes > 0 else { continue }
        unsafe all.append(
          RingStreams(
            lane: Int(lane), incarnation: incarnation, process: conclave_lane_process(view, lane),
            entries: parse(
              UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(copy)[..<Int(bytes)]))))
      }
      return all
    }
  }

  /// Stops at the first entry that does not fit into the rest.
  private static func parse(_ bytes: UnsafeRawBufferPointer) -> [Entry] {
    var entries: [Entry] = []
    var rest = unsafe bytes[...]
    while unsafe rest.count >= 16 {
      let number = unsafe UnsafeRawBufferPointer(rebasing: rest).load(as: UInt64.self)
      let length = unsafe UnsafeRawBufferPointer(rebasing: rest)
        .load(fromByteOffset: 8, as: UInt64.self)
      guard unsafe length <= UInt64(rest.count - 16) else { break }
      let key = unsafe rest.dropFirst(16).prefix(Int(length))
      unsafe entries.append(Entry(key: Array(key), number: number))
      unsafe rest = rest.dropFirst(16 + (Int(length) + 7) / 8 * 8)
    }
    return entries
  }
}
