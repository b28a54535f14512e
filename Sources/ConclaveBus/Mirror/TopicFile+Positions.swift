import Glibc

extension TopicFile {
  /// The place in the log of the last line of a topic's files that has one; nil when none has.
  static func lastPosition(
    of topic: Topic, in directory: OwnedDescriptor
  ) throws(BusError) -> UInt64? {
    // The active file first: should it be rotated meanwhile, its number is in the listing.
    if let last = try lastPosition(in: TopicFileName(topic), directory) { return last }
    for number in try TopicHistory.numbers(of: topic, in: directory).reversed() {
      let name = TopicFileName(topic, number: number)
      if let last = try lastPosition(in: name, directory) { return last }
    }
    return nil
  }

  /// The same of one file; nil also when there is no such file. Reads backwards; O(what lies behind
  /// that line).
  static func lastPosition(
    in name: TopicFileName, _ directory: OwnedDescriptor
  ) throws(BusError) -> UInt64? {
    let (file, size): (OwnedDescriptor, UInt64)
    do throws(BusError) {
      let (descriptor, status) = try open(name.text, in: directory, flags: O_RDONLY)
      (file, size) = (descriptor, UInt64(max(0, status.st_size)))
    } catch {
      if error.code == .notFound { return nil }
      throw error
    }
    var end = try TornTail.lengthOfWholeLines(file, size: size)
    while end > 0 {
      let start = try TornTail.lengthOfWholeLines(file, size: end - 1)
      let length = Int(end - 1 - start)
      // A foreign line of any length cannot be the mirror's, nor worth its memory.
      if length <= 64 << 20, let position = try position(file, start, length, name.text) {
        return position
      }
      end = start
    }
    return nil
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
