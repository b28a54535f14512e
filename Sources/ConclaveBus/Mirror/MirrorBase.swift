import Glibc

/// Remembers in the bus directory where the log began with each segment, so that places never come
/// again, not even when retention has removed every file that could tell, and that a durable
/// subscription finds what it missed: see ``LogHistory``.
enum MirrorBase {
  static let name = ".mirror.base"

  /// How many messages a segment is taken to have had when no file says so.
  private static let unknown: UInt64 = 1 << 40

  /// Returns where the log goes on with the new segment `generation`, and remembers it. Hold the
  /// mirror's lock.
  ///
  /// - Parameter next: behind the last place in the files; 0 when they have none.
  /// - Throws: `corrupt` when the file makes no sense; `noSpace`, `system`.
  static func raise(
    to next: UInt64, for generation: String, in directory: OwnedDescriptor
  ) throws(BusError) -> UInt64 {
    var base = min(next, 1 << 62)
    let before = try history(in: directory)
    if let before, base < before.base {
      base = min(before.base, 1 << 62).addingSaturating(unknown)
    }
    var history = before ?? LogHistory(base: base)
    history.append(LogHistory.Segment(generation: generation, base: base))
    try write(history, in: directory)
    return base
  }

  /// What the file says; nil when there is none.
  ///
  /// - Throws: `corrupt` when it makes no sense; `incompatible`, `permissionDenied`, `system`.
  static func history(in directory: OwnedDescriptor) throws(BusError) -> LogHistory? {
    let file: OwnedDescriptor
    do throws(BusError) {
      file = try TopicFile.open(name, in: directory, flags: O_RDONLY).descriptor
    } catch {
      if error.code == .notFound { return nil }
      throw error
    }
    var bytes = [UInt8](repeating: 0, count: greatestSize + 1)
    let count = unsafe Glibc.pread(file.number, &bytes, bytes.count, 0)
    guard count >= 0 else { throw .system("read", name) }
    guard count <= greatestSize, let history = LogHistory(bytes[..<count]) else {
      throw BusError(
        .corrupt, "\(name) in the bus directory makes no sense",
        hint: "write a number into it that is greater than every position in the topic files, or "
          + "remove it if there are none")
    }
    return history
  }

  /// Of a file that remembers all that it may: each line has at most 64 digits and 20.
  private static let greatestSize = (LogHistory.greatestCount + 1) * 86

  /// The whole file or nothing: a new one takes the old one's name, and that is on the disk before
  /// the segment has any place to give out.
  private static func write(
    _ history: LogHistory, in directory: OwnedDescriptor
  ) throws(BusError) {
    let made = name + ".new"
    unsafe unlinkat(directory.number, made, 0)
    let file = try TopicFile.open(made, in: directory, flags: O_WRONLY | O_EXCL, create: true)
    let bytes = history.bytes
    guard unsafe Glibc.write(file.descriptor.number, bytes, bytes.count) == bytes.count,
      fdatasync(file.descriptor.number) == 0,
      unsafe renameat(directory.number, made, directory.number, name) == 0,
      fsync(directory.number) == 0
    else { throw .system("write", name) }
  }
}
