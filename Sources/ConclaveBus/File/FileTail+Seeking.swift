extension FileTail {
  /// Clocks of several processes, and what lies between a message's time stamp and its place in the
  /// order, differ by less than this, in nanoseconds.
  static let clockSlack: UInt64 = 2_000_000_000

  /// Goes to the beginning of a line of which everything before it, and perhaps some behind it,
  /// lies before what is looked for: by bisection, in a file along which `isBefore` is first true
  /// and then false. O(log(size)) reads.
  ///
  /// - Parameter isBefore: of a line; nil when the line does not tell.
  func seek(_ isBefore: (EnvelopeLine) -> Bool?) throws(BusError) {
    isQuiet = true
    defer { isQuiet = false }
    var (low, high) = (UInt64(0), try size())
    while high > low, high - low > UInt64(FileTail.chunk) {
      let middle = low + (high - low) / 2
      if let end = try endOfLine(behind: middle, before: high, isBefore) {
        // Beyond `high`, where the file has grown by the end of a line.
        low = end
      } else {
        high = middle
      }
    }
    dropHead()
    moveTo(low)
    if low > 0, beginning.isEmpty { try lookAtBeginning() }
  }

  /// Goes to about where messages of this time are: not behind the first of them.
  func seek(near time: Timestamp) throws(BusError) {
    let nanoseconds = time.nanosecondsSinceEpoch
    let early = nanoseconds - min(nanoseconds, FileTail.clockSlack)
    try seek { $0.timestamp.nanosecondsSinceEpoch < early }
  }

  /// Goes to the first message of this time or later.
  func skip(before time: Timestamp) throws(BusError) {
    try seek(near: time)
    isQuiet = true
    defer { isQuiet = false }
    while try advance(), let head, head.parts.timestamp < time { consumeHead() }
  }

  /// Where the first line behind `middle` that tells ends, if it lies before what is looked for;
  /// nil if not, or when none before `high` tells.
  private func endOfLine(
    behind middle: UInt64, before high: UInt64, _ isBefore: (EnvelopeLine) -> Bool?
  ) throws(BusError) -> UInt64? {
    dropHead()
    moveTo(middle)
    isSkipping = true
    while try advance(), let head, offset < high {
      let verdict = isBefore(head.parts)
      consumeHead()
      if let verdict { return verdict ? offset : nil }
    }
    return nil
  }
}
