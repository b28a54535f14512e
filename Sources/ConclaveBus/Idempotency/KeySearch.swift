import CShim
import Glibc

/// Looks for the message of an idempotency key in a topic's file, from the end backwards: what is
/// looked for was published lately, if at all.
struct KeySearch {
  enum Outcome: Hashable {
    case found(MessageID)
    /// The file holds messages that are older than what is looked for.
    case reachedOlder
    /// There is nothing older in this file.
    case reachedBeginning
  }

  /// By how much the clock may have been set back, in nanoseconds, between the intent and the
  /// message, or between messages of the file, which are in the order of their times else: two
  /// hours, for a clock that is off by up to one, either way. What was not published is looked for
  /// in so much more, which is rare; what was is found before.
  private static let clockSlack: UInt64 = 2 * 3600 * 1_000_000_000 + 10_000_000_000
  private static let firstChunk = 64 << 10
  private static let usualChunk = 1 << 20

  private let doubt: IdempotencyIndex.Doubt
  private let topic: [UInt8]
  /// What stands in the line of the message as this package writes it.
  private let needle: [UInt8]
  private let oldest: UInt64
  private let lineLimit: Int
  private var decoder = EnvelopeDecoder()

  init(_ doubt: IdempotencyIndex.Doubt, lineLimit: Int) {
    self.doubt = doubt
    self.lineLimit = lineLimit
    topic = Array(doubt.topic.name.utf8)
    if let id = doubt.id {
      needle = Array("\"id\":\"\(id)\"".utf8)
    } else {
      needle = Array("\"idempotencyKey\":".utf8) + JSONString.encoded(doubt.key.text)
    }
    let since = doubt.since.nanosecondsSinceEpoch
    oldest = since > Self.clockSlack ? since - Self.clockSlack : 0
  }

  /// Searches the whole lines in the first `size` bytes of `file`.
  ///
  /// O(bytes that were written since the intent). Nothing is found in what is shortened meanwhile.
  mutating func search(_ file: OwnedDescriptor, size: UInt64) throws(BusError) -> Outcome {
    var (end, chunk) = (size, Self.firstChunk)
    var buffer: [UInt8] = []
    while end > 0 {
      let start = end - min(end, UInt64(chunk))
      let count = try read(file, from: start, to: end, into: &buffer)
      let lines = wholeLines(buffer[..<count], fromBeginning: start == 0)
      if lines.isEmpty, start > 0, chunk <= lineLimit {
        // A line that is longer than this.
        chunk *= 2
        continue
      }
      if let id = find(in: buffer[lines]) { return .found(id) }
      if isOlder(buffer[lines]) { return .reachedOlder }
      // What was no line at all, of whatever length, is stepped over.
      end = lines.isEmpty ? start : start + UInt64(lines.lowerBound)
      chunk = max(chunk, Self.usualChunk)
    }
    return .reachedBeginning
  }

  private func read(
    _ file: OwnedDescriptor, from start: UInt64, to end: UInt64, into buffer: inout [UInt8]
  ) throws(BusError) -> Int {
    let length = Int(end - start)
    if buffer.count < length { buffer = [UInt8](repeating: 0, count: length) }
    var done = 0
    while done < length {
      let count = unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe pread(
          file.number, bytes.baseAddress.map { unsafe $0 + done }, length - done,
          off_t(start) + off_t(done))
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system("read", "a topic file") }
      if count == 0 { break }
      done += count
    }
    return done
  }

  /// The part of `bytes` that holds whole lines only.
  private func wholeLines(_ bytes: ArraySlice<UInt8>, fromBeginning: Bool) -> Range<Int> {
    let newline = UInt8(ascii: "\n")
    guard let last = bytes.lastIndex(of: newline) else { return 0..<0 }
    if fromBeginning { return 0..<last + 1 }
    guard let first = bytes.firstIndex(of: newline), first < last else { return 0..<0 }
    return first + 1..<last + 1
  }

  private mutating func find(in lines: ArraySlice<UInt8>) -> MessageID? {
    var rest = lines
    while let place = firstNeedle(in: rest) {
      let newline = UInt8(ascii: "\n")
      let start = (lines[..<place].lastIndex(of: newline).map { $0 + 1 }) ?? lines.startIndex
      guard let end = lines[place...].firstIndex(of: newline) else { return nil }
      if let id = match(lines[start..<end]) { return id }
      rest = lines[(end + 1)...]
    }
    return nil
  }

  private func firstNeedle(in bytes: ArraySlice<UInt8>) -> Int? {
    let offset = unsafe bytes.withUnsafeBytes { bytes -> Int? in
      unsafe needle.withUnsafeBytes { needle -> Int? in
        guard let base = bytes.baseAddress, let wanted = needle.baseAddress else { return nil }
        let found = unsafe conclave_find_bytes(base, bytes.count, wanted, needle.count)
        return found < 0 ? nil : found
      }
    }
    return offset.map { bytes.startIndex + $0 }
  }

  /// The message's id if the line is the one that is looked for: the needle may stand in a payload,
  /// and the key may have been used before.
  private mutating func match(_ line: ArraySlice<UInt8>) -> MessageID? {
    guard let envelope = decode(line), envelope.key == doubt.key else { return nil }
    if let id = doubt.id { return envelope.id == id ? id : nil }
    return envelope.time >= doubt.since ? envelope.id : nil
  }

  private func isOlder(_ lines: ArraySlice<UInt8>) -> Bool {
    guard let end = lines.firstIndex(of: UInt8(ascii: "\n")) else { return false }
    let time = unsafe lines[..<end].withUnsafeBytes { line -> UInt64? in
      unsafe (try? EnvelopeLine(parsing: line))?.timestamp.nanosecondsSinceEpoch
    }
    return time.map { $0 < oldest } ?? false
  }

  private mutating func decode(
    _ line: ArraySlice<UInt8>
  ) -> (id: MessageID, time: Timestamp, key: IdempotencyKey?)? {
    var decoder = decoder
    defer { self.decoder = decoder }
    return unsafe line.withUnsafeBytes { line in
      unsafe try? decoder.decode(line, topic: topic) { view, _ in
        (view.id, view.timestamp, view.idempotencyKey)
      }
    }
  }
}
