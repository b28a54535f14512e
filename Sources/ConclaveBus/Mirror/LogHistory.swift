/// The segments that the log has gone on in, as `.mirror.base` remembers them.
///
///     4711
///     0f3a6c9d2b1e48577a5c3e1f90b2d4c6 0
///     9b2d4c60f3a6c9d2b1e48577a5c3e1f9 4711
///
/// First where the log began with the newest segment; then each segment and where the log began
/// with it, the oldest first.
struct LogHistory: Hashable, Sendable {
  struct Segment: Hashable, Sendable {
    var generation: String
    var base: UInt64
  }

  /// Where the log began with the newest segment.
  private(set) var base: UInt64
  private(set) var segments: [Segment] = []

  /// So many are remembered.
  static let greatestCount = 1024

  init(base: UInt64) { self.base = base }

  /// nil when `bytes` make no sense. People may write the first line alone.
  init?(_ bytes: ArraySlice<UInt8>) {
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard lines.count >= 2, lines.removeLast().isEmpty, lines.count <= Self.greatestCount + 1,
      let base = UInt64(decimal: lines[0])
    else { return nil }
    self.base = base
    for line in lines.dropFirst() {
      let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      guard words.count == 2, (1...64).contains(words[0].count),
        let base = UInt64(decimal: words[1])
      else { return nil }
      segments.append(
        Segment(generation: String(decoding: words[0], as: UTF8.self), base: base))
    }
  }

  var bytes: [UInt8] {
    Array("\(base)\n".utf8)
      + segments.flatMap { Array("\($0.generation) \($0.base)\n".utf8) }
  }

  /// The log goes on in this segment.
  mutating func append(_ segment: Segment) {
    base = segment.base
    // Somebody was killed between this and its saying so to the segment.
    segments.removeAll { $0.generation == segment.generation }
    segments = segments.suffix(Self.greatestCount - 1) + [segment]
  }

  /// What a durable subscription's journal must say before it goes on in `segment`.
  ///
  /// Each segment begins behind what the files had then, so of what was claimed beyond the
  /// beginning of the first one after the journal's own nothing is left, and its places were given
  /// out again, even if many have come and gone meanwhile. Where nobody remembers what came after
  /// the journal's own, nothing that was claimed in it is taken for certain.
  ///
  /// - Returns: nil when `segment` is older than the one that the journal counts in.
  func entries(after state: DurableState, to segment: Segment) -> [DurableEntry]? {
    guard let own = state.generation else { return [segment.entry] }
    guard own != segment.generation else { return [] }
    guard let index = segments.firstIndex(where: { $0.generation == own }) else {
      return [Segment(generation: Self.unknown, base: state.base).entry, segment.entry]
    }
    let target = segments.firstIndex { $0.generation == segment.generation }
    if let target, target < index { return nil }
    guard let next = segments[(index + 1)...].first, next.generation != segment.generation else {
      return [segment.entry]
    }
    return [next.entry, segment.entry]
  }

  /// Stands for a segment that nobody remembers.
  private static let unknown = "-"
}

extension LogHistory.Segment {
  fileprivate var entry: DurableEntry { .log(generation: generation, base: base) }
}
