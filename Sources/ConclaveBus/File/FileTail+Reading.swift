import Glibc

/// The buffer, and how the file is read into it.
extension FileTail {
  /// Reads on, from the beginning of the unfinished line at the buffer's end.
  ///
  /// - Returns: whether there is more in the buffer than before.
  func readMore() throws(BusError) -> Bool {
    guard try lookForNews() else { return false }
    let pending = filled - next
    if pending > lineLimit {
      reportDamage(EnvelopeFlaw("the line is longer than \(lineLimit) bytes"))
      isSkipping = true
      forgetUnread(consumed: true)
      return try readMore()
    }
    if unsafe pending >= memory.count {
      setCapacity(min(max(2 * pending, FileTail.chunk), max(lineLimit + 1, FileTail.chunk)))
    }
    var wanted = unsafe memory.count
    if let limit { wanted = Int(min(UInt64(wanted), limit - offset)) }
    let count = unsafe pread(file.number, memory.baseAddress, wanted, off_t(offset))
    guard count >= 0 else { throw .system("read", name) }
    base = offset
    next = 0
    filled = count
    return count > pending
  }

  /// Whether the file goes on behind ``offset``; notices when it was cut off or written anew.
  private func lookForNews() throws(BusError) -> Bool {
    let size = try size()
    if size < offset { try restart() }
    guard size > offset, limit.map({ $0 > offset }) ?? true else { return false }
    if try !beginsAsBefore() {
      reporter.warn(.fileReplaced(file: name))
      beginAnew()
    }
    return true
  }

  /// The file was cut off: goes through what is left of it for what was not taken yet.
  private func restart() throws(BusError) {
    reporter.warn(.fileReplaced(file: name))
    if try beginsAsBefore() {
      moveTo(0)
      isCatchingUp = true
    } else {
      beginAnew()
    }
  }

  /// Whether the file still has the beginning that it had.
  private func beginsAsBefore() throws(BusError) -> Bool {
    if beginning.isEmpty { return true }
    return try readBeginning(length: beginning.count) == beginning
  }

  func readBeginning(length: Int) throws(BusError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: length)
    let count = unsafe bytes.withUnsafeMutableBytes { bytes in
      unsafe pread(file.number, bytes.baseAddress, bytes.count, 0)
    }
    guard count >= 0 else { throw .system("read", name) }
    return Array(bytes[..<count])
  }

  /// Remembers the first line's beginning, of a file that is not read from there.
  func lookAtBeginning() throws(BusError) {
    let start = try readBeginning(length: FileTail.beginningLength)
    let line = start.firstIndex(of: UInt8(ascii: "\n")).map { start[...$0] }
    beginning = Array(line ?? start[...])
  }

  /// Remembers the first line's beginning while it is at hand.
  func keepBeginning(_ line: Range<Int>) {
    guard beginning.isEmpty, base == 0, line.lowerBound == 0 else { return }
    let length = min(line.upperBound + 1, FileTail.beginningLength)
    beginning = unsafe Array(memory[..<length])
  }

  /// What was read is not kept.
  func setCapacity(_ capacity: Int) {
    unsafe memory.deallocate()
    unsafe memory =
      capacity == 0
      ? UnsafeMutableRawBufferPointer(start: nil, count: 0)
      : .allocate(byteCount: capacity, alignment: 1)
    base += UInt64(next)
    next = 0
    filled = 0
  }
}
