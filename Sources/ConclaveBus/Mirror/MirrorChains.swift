import Glibc
import SharedRing

/// The beginnings of large messages that the mirror has read and whose ends are still to come, kept
/// in a file: their publishers may overwrite them in the ring, and a mirror that dies must not take
/// them with it.
///
/// Entries are written before the mirror says that it has come so far. So those of a dead mirror
/// that lie beyond its successor's place will be read from the ring once more, and are cut off.
/// That a message is done with is an entry, too; the file is only added to, and emptied when there
/// is nothing to keep. See ``MirrorChainList`` for its form.
struct MirrorChains: ~Copyable {
  private let file: OwnedDescriptor
  private let generation: RingGeneration
  /// What the file has of each lane's message.
  private var kept: [Int: (beginning: UInt64, count: Int)] = [:]
  private var length: UInt64

  static let name = ".mirror.chains"

  init(in directory: OwnedDescriptor, generation: RingGeneration) throws(BusError) {
    let file = try TopicFile.open(Self.name, in: directory, flags: O_RDWR, create: true).descriptor
    let length = try TopicFile.size(of: file, name: Self.name)
    self.file = file
    self.length = length
    self.generation = generation
  }

  /// What a dead mirror of this segment had read below `position`.
  ///
  /// - Parameter limit: the largest message in bytes.
  mutating func recover(below position: UInt64, limit: Int) throws(BusError) -> [RingChain] {
    guard length > 0 else { return [] }
    var bytes = [UInt8](repeating: 0, count: Int(min(length, 1 << 32)))
    let count = unsafe bytes.withUnsafeMutableBytes { bytes in
      unsafe pread(file.number, bytes.baseAddress, bytes.count, 0)
    }
    guard count >= 0 else { throw .system("read", Self.name) }
    var list = MirrorChainList(bytes[..<count], generation: generation)
    while list.takeNext(below: position, limit: limit) {}
    try cut(to: UInt64(list.taken))
    let chains = list.chains.values.sorted { $0.lane < $1.lane }
    for chain in chains { kept[chain.lane] = (chain.beginning, chain.bytes.count) }
    return chains
  }

  /// Writes down what of `chains` is not in the file yet, before the mirror is at `position`.
  mutating func keep(_ chains: [RingChain], until position: UInt64) throws(BusError) {
    if chains.isEmpty, kept.isEmpty { return }
    var bytes = length == 0 ? MirrorChainList.head(generation) : []
    var next = kept
    for lane in kept.keys.sorted() where !chains.contains(where: { $0.lane == lane }) {
      bytes += MirrorChainList.end(of: lane, until: position)
      next[lane] = nil
    }
    for chain in chains {
      let known = kept[chain.lane]
      let offset = known?.beginning == chain.beginning ? known?.count ?? 0 : 0
      guard offset < chain.bytes.count else { continue }
      bytes += MirrorChainList.entry(chain, from: offset, until: position)
      next[chain.lane] = (chain.beginning, chain.bytes.count)
    }
    try append(bytes)
    kept = next
  }

  /// Finds out whether something could be written.
  ///
  /// - Throws: why not.
  func probe() throws(BusError) { try FileProbe.takesMore(file, at: length, Self.name) }

  /// Empties the file when there is nothing to keep: once the mirror has said where it is, since
  /// until then a successor may have to begin before that.
  mutating func settle() {
    // What stays is cut off another time.
    if kept.isEmpty, length > 0 { try? cut(to: 0) }
  }

  /// All of it or nothing.
  private mutating func append(_ bytes: [UInt8]) throws(BusError) {
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { bytes in
        let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
        return unsafe pwrite(
          file.number, rest.baseAddress, rest.count, off_t(length) + off_t(written))
      }
      if count > 0 {
        written += count
      } else if count == 0 || errno != EINTR {
        let error = BusError.system("write to", Self.name, errno: count == 0 ? ENOSPC : errno)
        try TornTail.cut(file, to: length)
        throw error
      }
    }
    length += UInt64(bytes.count)
  }

  private mutating func cut(to end: UInt64) throws(BusError) {
    try TornTail.cut(file, to: end)
    length = end
    if end == 0 { kept = [:] }
  }
}
