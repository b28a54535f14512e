import SharedRing

/// The file of ``MirrorChains``: a line with the segment's generation, then entries, each a line of
/// numbers and then bytes:
///
///     {until} {lane} {beginning} {incarnation} {total} {offset} {count}\n   and `count` bytes
///
/// what was read of the lane's message, from its byte `offset` on, before the ring's position
/// `until`. An entry without bytes says that the lane's message is done with.
struct MirrorChainList {
  private(set) var chains: [Int: RingChain] = [:]
  /// How many bytes of the file are good.
  private(set) var taken: Int
  private let bytes: ArraySlice<UInt8>
  private static let longestLine = 160

  static func head(_ generation: RingGeneration) -> [UInt8] { Array("\(generation)\n".utf8) }

  static func entry(_ chain: RingChain, from offset: Int, until position: UInt64) -> [UInt8] {
    let line =
      "\(position) \(chain.lane) \(chain.beginning) \(chain.incarnation) \(chain.total) "
      + "\(offset) \(chain.bytes.count - offset)\n"
    return Array(line.utf8) + chain.bytes[offset...]
  }

  static func end(of lane: Int, until position: UInt64) -> [UInt8] {
    Array("\(position) \(lane) 0 0 0 0 0\n".utf8)
  }

  /// - Parameter bytes: of the file, whatever is in there.
  init(_ bytes: ArraySlice<UInt8>, generation: RingGeneration) {
    self.bytes = bytes
    let head = MirrorChainList.head(generation)
    taken = bytes.starts(with: head) ? head.count : 0
  }

  /// Takes one more entry.
  ///
  /// - Returns: false at the end, which is where an entry was cut off, makes no sense, or lies
  ///   beyond `position`.
  mutating func takeNext(below position: UInt64, limit: Int) -> Bool {
    let rest = bytes.dropFirst(taken)
    guard taken > 0,
      let end = rest.prefix(MirrorChainList.longestLine).firstIndex(of: UInt8(ascii: "\n"))
    else { return false }
    let words = String(decoding: rest[..<end], as: UTF8.self).split(separator: " ")
    let numbers = words.compactMap { UInt64($0) }
    guard words.count == 7, numbers.count == 7, numbers[0] <= position,
      let lane = Int(exactly: numbers[1]), let total = Int(exactly: numbers[4]),
      let offset = Int(exactly: numbers[5]), numbers[6] <= UInt64(rest.endIndex - end - 1)
    else { return false }
    let piece = rest[(end + 1)...].prefix(Int(numbers[6]))
    guard
      take(
        piece, at: offset,
        of: RingChain(
          lane: lane, beginning: numbers[2], incarnation: numbers[3], total: total, bytes: []),
        limit: limit)
    else { return false }
    taken += piece.endIndex - rest.startIndex
    return true
  }

  private mutating func take(
    _ piece: ArraySlice<UInt8>, at offset: Int, of chain: RingChain, limit: Int
  ) -> Bool {
    guard !piece.isEmpty else {
      chains[chain.lane] = nil
      return true
    }
    let before = offset == 0 ? nil : chains[chain.lane]
    guard offset == before?.bytes.count ?? 0, chain.total <= limit,
      offset == 0 || before?.beginning == chain.beginning, piece.count < chain.total - offset
    else { return false }
    chains[chain.lane] = RingChain(
      lane: chain.lane, beginning: chain.beginning, incarnation: chain.incarnation,
      total: chain.total, bytes: (before?.bytes ?? []) + piece)
    return true
  }
}
