import Glibc
import SharedRing

/// What the rules of retention must know of a topic's file. What was found out is remembered: of a
/// rotated file for ever, since it never changes, and of an active one up to where it was read.
struct TopicFileFacts: Sendable {
  /// How far ``messages`` were counted.
  var counted: UInt64 = 0
  /// Lines up to there.
  var messages: UInt64 = 0
  /// Of the first line, once there is one that is an envelope.
  var first: Timestamp?
  /// Of the last line, when the file had `lastSize` bytes.
  var last: Last?
  var lastSize: UInt64 = 0

  struct Last: Sendable {
    var id: MessageID
    var timestamp: Timestamp
    var position: UInt64?
  }

  /// What is known of the files of all topics, by topic and number. An active file has the number
  /// that it is going to get. What was not asked for lately is forgotten first.
  final class Memory: Sendable {
    private struct Entry {
      var identity: TopicFile.Identity
      var facts: TopicFileFacts
    }

    private struct State {
      var recent: [TopicFileName: Entry] = [:]
      var older: [TopicFileName: Entry] = [:]
    }

    /// Files to remember at least; twice as many at most.
    private static let capacity = 1 << 14
    private let state = Lock(State())

    /// Nothing is known of another file that bears the name now.
    subscript(name: TopicFileName, identity: TopicFile.Identity) -> TopicFileFacts {
      get {
        let entry = state.withLock { $0.recent[name] ?? $0.older[name] }
        guard let entry, entry.identity == identity else { return TopicFileFacts() }
        return entry.facts
      }
      set {
        state.withLock { state in
          if state.recent.count >= Memory.capacity {
            (state.older, state.recent) = (state.recent, [:])
          }
          state.recent[name] = Entry(identity: identity, facts: newValue)
        }
      }
    }
  }
}

/// An open topic file about which facts are found out.
struct TopicFileExaminer {
  let file: OwnedDescriptor
  let size: UInt64
  let lineLimit: Int
  private static let chunk = 1 << 20

  /// Counts the lines that were not counted yet. O(bytes behind those that were).
  func count(_ facts: inout TopicFileFacts) throws(BusError) {
    // Cut off, or another file with the same inode: counted anew.
    if facts.counted > size { facts = TopicFileFacts() }
    guard facts.counted < size else { return }
    var buffer = [UInt8](repeating: 0, count: Int(min(UInt64(Self.chunk), size - facts.counted)))
    while facts.counted < size {
      let wanted = Int(min(UInt64(buffer.count), size - facts.counted))
      let count = try read(&buffer, wanted, at: facts.counted)
      guard count > 0 else { return }
      facts.messages &+= newlines(in: buffer, count)
      facts.counted += UInt64(count)
    }
  }

  /// Finds out the time of the first line. O(its length).
  func findFirst(_ facts: inout TopicFileFacts) throws(BusError) {
    guard facts.first == nil, size > 0 else { return }
    var length = min(4096, Int(clamping: size))
    while true {
      var buffer = [UInt8](repeating: 0, count: length)
      let count = try read(&buffer, length, at: 0)
      if let end = buffer[..<count].firstIndex(of: UInt8(ascii: "\n")) {
        facts.first = Self.envelope(buffer[..<end])?.timestamp
        return
      }
      guard count == length, length < lineLimit, UInt64(length) < size else { return }
      length = min(2 * length, lineLimit)
    }
  }

  /// Finds out what the last whole line is. O(its length).
  func findLast(_ facts: inout TopicFileFacts) throws(BusError) {
    guard size > 0, facts.lastSize != size else { return }
    let end = try TornTail.lengthOfWholeLines(file, size: size)
    guard end > 0 else { return }
    let start = try TornTail.lengthOfWholeLines(file, size: end - 1)
    facts.last = nil
    if end - 1 - start <= UInt64(lineLimit) {
      var buffer = [UInt8](repeating: 0, count: Int(end - 1 - start))
      let count = try read(&buffer, buffer.count, at: start)
      facts.last = Self.envelope(buffer[..<count]).map {
        TopicFileFacts.Last(id: $0.id, timestamp: $0.timestamp, position: $0.position)
      }
    }
    facts.lastSize = size
  }

  private func read(
    _ buffer: inout [UInt8], _ count: Int, at offset: UInt64
  ) throws(BusError) -> Int {
    let count = unsafe buffer.withUnsafeMutableBytes { bytes in
      unsafe pread(file.number, bytes.baseAddress, count, off_t(clamping: offset))
    }
    guard count >= 0 else { throw .system("read", "a topic file") }
    return count
  }

  private func newlines(in buffer: [UInt8], _ count: Int) -> UInt64 {
    unsafe buffer.withUnsafeBytes { bytes in
      let bytes = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<count])
      var (lines, next) = (UInt64(0), 0)
      while let end = unsafe LineCursor.firstNewline(in: bytes, from: next) {
        lines += 1
        next = end + 1
      }
      return lines
    }
  }

  private static func envelope(_ line: ArraySlice<UInt8>) -> EnvelopeLine? {
    unsafe line.withUnsafeBytes { bytes in try? unsafe EnvelopeLine(parsing: bytes) }
  }
}
