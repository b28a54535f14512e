import Glibc

/// The end of a topic file after a crash: a line without its line feed, or the zeros that a power
/// cut leaves. Its publisher was never told that it was published, so it is cut off.
enum TornTail {
  private static let chunk = 64 << 10

  /// Whether the last of the file's `size` bytes ends a line.
  static func endsLine(_ file: OwnedDescriptor, size: UInt64) throws(BusError) -> Bool {
    guard size > 0 else { return true }
    var last: UInt8 = 0
    guard unsafe pread(file.number, &last, 1, off_t(size - 1)) == 1 else {
      throw .system("read", "a topic file")
    }
    return last == UInt8(ascii: "\n")
  }

  /// The greatest length up to `size` at which the file ends with whole lines only. Reads
  /// backwards; O(length of the unfinished line).
  static func lengthOfWholeLines(
    _ file: OwnedDescriptor, size: UInt64
  ) throws(BusError) -> UInt64 {
    if try endsLine(file, size: size) { return size }
    var buffer = [UInt8](repeating: 0, count: chunk)
    var end = size
    while end > 0 {
      let length = Int(min(UInt64(chunk), end))
      let start = end - UInt64(length)
      let count = unsafe buffer.withUnsafeMutableBytes { buffer in
        unsafe pread(file.number, buffer.baseAddress, length, off_t(start))
      }
      guard count >= 0 else { throw .system("read", "a topic file") }
      if let index = buffer[..<count].lastIndex(of: UInt8(ascii: "\n")) {
        return start + UInt64(index) + 1
      }
      end = start
    }
    return 0
  }

  /// Cuts the file to `length` bytes. Hold its lock.
  static func cut(_ file: OwnedDescriptor, to length: UInt64) throws(BusError) {
    if MirrorDefect.isPlanted(.keepsTornLines) { return }
    while ftruncate(file.number, off_t(length)) != 0 {
      guard errno == EINTR else { throw .system("shorten", "a topic file") }
    }
  }
}
