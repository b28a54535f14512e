import Glibc

/// Reads one topic file, whole line by whole line, for one subscription.
///
/// A line is taken only once its line feed is there, and always from a single read: what an earlier read
/// saw of an unfinished line is thrown away, since a crashed publisher's line may have been cut off and
/// replaced meanwhile.
@safe
final class FileTail {
  let topic: Topic
  let name: String
  let identity: TopicFile.Identity
  let topicBytes: [UInt8]
  /// Reads no further than this; nil for no limit.
  var limit: UInt64?
  /// Since when the name has stood for another file or for none; nil while it stands for this one.
  var replacedSince: ContinuousClock.Instant?
  /// Damaged lines are skipped without being reported.
  var isQuiet = false
  /// The envelope that is next, and where its line lies in ``memory``.
  private(set) var head: (parts: EnvelopeLine, line: Range<Int>)?

  private let file: OwnedDescriptor
  private let lineLimit: Int
  private let reporter: FileReporter
  /// What was read of the file from ``base`` on. Empty until there is something to read.
  private var memory: UnsafeMutableRawBufferPointer
  private var filled = 0
  /// Index of the first byte that was not consumed.
  private var next = 0
  private var base: UInt64 = 0
  private var isSkipping = false
  /// The first bytes of the file's first line, which hold its message's id and so are as good as unique;
  /// empty until a whole line was seen.
  private var beginning: [UInt8] = []

  /// The time of the last envelope that was taken. Times never fall along a file.
  private var lastTime = Timestamp(nanosecondsSinceEpoch: 0)
  /// What was taken before is being read again, because the file was cut off.
  private var isCatchingUp = false

  private static let chunk = 64 << 10
  private static let beginningLength = 64

  init(
    topic: Topic, name: String, file: OwnedDescriptor, identity: TopicFile.Identity, lineLimit: Int,
    reporter: FileReporter
  ) {
    self.topic = topic
    self.name = name
    self.identity = identity
    self.file = file
    self.lineLimit = lineLimit
    self.reporter = reporter
    topicBytes = Array(topic.name.utf8)
    unsafe memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  }

  deinit { unsafe memory.deallocate() }

  /// Where in the file the next line begins.
  var offset: UInt64 { base + UInt64(next) }

  /// Goes behind the last whole line of the file.
  func skipToEnd() throws(BusError) {
    try moveTo(TornTail.lengthOfWholeLines(file, size: size()))
    lastTime = .now()
    guard offset > 0 else { return }
    let start = try readBeginning(length: FileTail.beginningLength)
    let line = start.firstIndex(of: UInt8(ascii: "\n")).map { start[...$0] }
    beginning = Array(line ?? start[...])
  }

  func size() throws(BusError) -> UInt64 {
    var status = stat()
    guard unsafe fstat(file.number, &status) == 0 else { throw .system("look at", name) }
    return UInt64(status.st_size)
  }

  /// Whether nobody is appending to the file, nor will ever again. Only for a replaced file, whose
  /// publishers look for its name once they have the lock.
  func isAbandoned() -> Bool { file.lock(LOCK_SH | LOCK_NB) == 0 }

  func releaseLock() { _ = file.lock(LOCK_UN) }

  // MARK: Lines

  /// Makes the next envelope ``head``, over lines that are none.
  ///
  /// - Returns: whether there is one.
  func advance() throws(BusError) -> Bool {
    while let line = try nextLine() {
      do throws(EnvelopeFlaw) {
        let parts = unsafe try EnvelopeLine(parsing: bytes(line))
        if !isCatchingUp || parts.timestamp > lastTime {
          head = (parts, line)
          return true
        }
      } catch { reportDamage(error) }
      consume(line)
    }
    isCatchingUp = false
    return false
  }

  /// The bytes of the line that ``head`` describes, until it is consumed.
  func bytes(_ line: Range<Int>) -> UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(rebasing: memory[line])
  }

  func consumeHead() {
    guard let (parts, line) = head else { return }
    head = nil
    lastTime = max(lastTime, parts.timestamp)
    consume(line)
  }

  /// Reports the line at ``offset`` as damaged.
  func reportDamage(_ flaw: EnvelopeFlaw) {
    if !isQuiet, !isCatchingUp { reporter.damagedLine(in: name, at: offset, flaw.description) }
  }

  private func consume(_ line: Range<Int>) {
    keepBeginning(line)
    next = line.upperBound + 1
  }

  private func nextLine() throws(BusError) -> Range<Int>? {
    while true {
      let unread = unsafe UnsafeRawBufferPointer(rebasing: memory[..<filled])
      if let end = unsafe LineCursor.firstNewline(in: unread, from: next) {
        if !isSkipping { return next..<end }
        isSkipping = false
        next = end + 1
        continue
      }
      if isSkipping { forgetUnread(consumed: true) }
      guard try readMore() else {
        forgetUnread(consumed: isSkipping)
        return nil
      }
    }
  }

  /// Empties the buffer. What had not been consumed is read again, or given up as part of a line that is
  /// too long.
  private func forgetUnread(consumed: Bool) {
    base += UInt64(consumed ? filled : next)
    next = 0
    filled = 0
    if unsafe memory.count > FileTail.chunk { setCapacity(0) }
  }

  private func beginAnew() {
    moveTo(0)
    beginning = []
    isCatchingUp = false
  }

  private func moveTo(_ offset: UInt64) {
    base = offset
    next = 0
    filled = 0
    isSkipping = false
  }

  // MARK: Reading

  /// Reads on, from the beginning of the unfinished line at the buffer's end.
  ///
  /// - Returns: whether there is more in the buffer than before.
  private func readMore() throws(BusError) -> Bool {
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

  private func readBeginning(length: Int) throws(BusError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: length)
    let count = unsafe bytes.withUnsafeMutableBytes { bytes in
      unsafe pread(file.number, bytes.baseAddress, bytes.count, 0)
    }
    guard count >= 0 else { throw .system("read", name) }
    return Array(bytes[..<count])
  }

  /// Remembers the first line's beginning while it is at hand.
  private func keepBeginning(_ line: Range<Int>) {
    guard beginning.isEmpty, base == 0, line.lowerBound == 0 else { return }
    let length = min(line.upperBound + 1, FileTail.beginningLength)
    beginning = unsafe Array(memory[..<length])
  }

  /// What was read is not kept.
  private func setCapacity(_ capacity: Int) {
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
