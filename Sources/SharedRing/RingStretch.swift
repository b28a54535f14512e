import CShim

/// Positions that something is not true of, though the mirror has passed them: the last such
/// stretch, and a count that changes with each.
public struct RingStretch: Hashable, Sendable {
  /// Twice how many there were; odd while one is being written.
  public let count: UInt64
  public let positions: Range<UInt64>
  /// Of what in there it is not true, a number of the caller's; 0: of all, or of some that cannot
  /// be told.
  public let subject: UInt32

  init(_ copy: conclave_stretch_copy) {
    count = copy.count
    positions = copy.begin..<max(copy.begin, copy.end)
    subject = copy.subject
  }

  /// Whether some of these positions lie in a stretch that was noted since `before` was read; nil
  /// when that cannot be known, since there were several.
  public func meets(_ others: Range<UInt64>, since before: RingStretch) -> Bool? {
    if count == before.count { return false }
    let isTheNext = count % 2 == 0 && count == (before.count | 1) &+ 1
    return isTheNext ? positions.overlaps(others) : nil
  }
}

/// Why the mirror cannot write.
public struct RingTrouble: Hashable, Sendable {
  /// A code of the caller's, not 0.
  public let code: Int32
  /// What cannot be written, a number of the caller's; 0: several files, or all.
  public let subject: UInt32

  public init(code: Int32, subject: UInt32) {
    self.code = code
    self.subject = subject
  }

  /// nil: there is none.
  init?(word: UInt64) {
    let code = Int32(truncatingIfNeeded: word)
    guard code != 0 else { return nil }
    self.init(code: code, subject: UInt32(truncatingIfNeeded: word >> 32))
  }

  var word: UInt64 { UInt64(subject) << 32 | UInt64(UInt32(bitPattern: code)) }
}
