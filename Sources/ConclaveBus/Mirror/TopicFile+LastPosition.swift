import Glibc

extension TopicFile {
  /// The place in the log of the last line of a topic's file that has one; nil when none has or
  /// there is no file. Reads backwards; O(what lies behind that line).
  static func lastPosition(
    of name: String, in directory: OwnedDescriptor
  ) throws(BusError) -> UInt64? {
    let file: OwnedDescriptor
    let size: UInt64
    do throws(BusError) {
      let (descriptor, status) = try open(name, in: directory, flags: O_RDONLY)
      (file, size) = (descriptor, UInt64(max(0, status.st_size)))
    } catch {
      if error.code == .notFound { return nil }
      throw error
    }
    var end = try TornTail.lengthOfWholeLines(file, size: size)
    while end > 0 {
      let start = try beginOfLine(file, before: end - 1, name)
      let length = Int(end - 1 - start)
      // A foreign line of any length cannot be the mirror's, nor worth its memory.
      if length <= 64 << 20, let position = try position(file, start, length, name) {
        return position
      }
      end = start
    }
    return nil
  }

  /// Where the line begins whose line feed, or end, is at `end`.
  private static func beginOfLine(
    _ file: OwnedDescriptor, before end: UInt64, _ name: String
  ) throws(BusError) -> UInt64 {
    // What ends with whole lines before `end` ends there.
    end == 0 ? 0 : try TornTail.lengthOfWholeLines(file, size: end)
  }

  private static func position(
    _ file: OwnedDescriptor, _ start: UInt64, _ length: Int, _ name: String
  ) throws(BusError) -> UInt64? {
    var bytes = [UInt8](repeating: 0, count: length)
    let count = unsafe bytes.withUnsafeMutableBytes { bytes in
      unsafe pread(file.number, bytes.baseAddress, bytes.count, off_t(start))
    }
    guard count == length else { throw .system("read", name) }
    return unsafe bytes.withUnsafeBytes { unsafe (try? EnvelopeLine(parsing: $0))?.position }
  }
}
