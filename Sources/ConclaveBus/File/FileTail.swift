import Glibc

/// Reads one topic file, whole line by whole line, for one subscription.
///
/// A line is taken only once its line feed is there, and always from a single read: what an earlier
/// read saw of an unfinished line is thrown away, since a crashed publisher's line may have been
/// cut off and replaced meanwhile.
@safe
final class FileTail {
  let topic: Topic
  /// The name of the file, as it was last seen.
  private(set) var name: String
  /// The number of the file among its topic's once it is rotated; nil while it is appended to.
  private(set) var number: UInt64?
  /// The file comes behind those with numbers up to this.
  let floor: UInt64
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

  let file: OwnedDescriptor
  let lineLimit: Int
  let reporter: FileReporter
  /// What was read of the file from ``base`` on. Empty until there is something to read.
  var memory: UnsafeMutableRawBufferPointer
  var filled = 0
  /// Index of the first byte that was not consumed.
  var next = 0
  var base: UInt64 = 0
  var isSkipping = false
  /// The first bytes of the file's first line, which hold its message's id and so are as good as
  /// unique; empty until a whole line was seen.
  var beginning: [UInt8] = []

  /// The time of the last envelope that was taken. Times never fall along a file.
  var lastTime = Timestamp(nanosecondsSinceEpoch: 0)
  /// What was taken before is being read again, because the file was cut off.
  var isCatchingUp = false

  static let chunk = 64 << 10
  static let beginningLength = 64

  init(
    _ name: TopicFileName, file: OwnedDescriptor, identity: TopicFile.Identity, floor: UInt64,
    lineLimit: Int, reporter: FileReporter
  ) {
    topic = name.topic
    self.name = name.text
    number = name.number
    self.floor = floor
    replacedSince = name.number == nil ? nil : .now
    self.identity = identity
    self.file = file
    self.lineLimit = lineLimit
    self.reporter = reporter
    topicBytes = Array(topic.name.utf8)
    unsafe memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  }

  deinit { unsafe memory.deallocate() }

  /// All numbers up to this are of this file and those before it.
  var lastNumber: UInt64 { number ?? floor }

  /// The file was given a number.
  func noteRotation(_ number: UInt64) {
    self.number = number
    name = TopicFileName(topic, number: number).text
  }

  /// Where in the file the next line begins.
  var offset: UInt64 { base + UInt64(next) }

  /// Goes behind the last whole line of the file.
  func skipToEnd() throws(BusError) {
    try moveTo(TornTail.lengthOfWholeLines(file, size: size()))
    lastTime = .now()
    if offset > 0 { try lookAtBeginning() }
  }

  func size() throws(BusError) -> UInt64 {
    try TopicFile.size(of: file, name: name)
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

  /// What was read ahead is read again.
  func dropHead() { head = nil }

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

  /// Empties the buffer. What had not been consumed is read again, or given up as part of a line
  /// that is too long.
  func forgetUnread(consumed: Bool) {
    base += UInt64(consumed ? filled : next)
    next = 0
    filled = 0
    if unsafe memory.count > FileTail.chunk { setCapacity(0) }
  }

  func beginAnew() {
    moveTo(0)
    beginning = []
    isCatchingUp = false
  }

  func moveTo(_ offset: UInt64) {
    base = offset
    next = 0
    filled = 0
    isSkipping = false
  }
}
