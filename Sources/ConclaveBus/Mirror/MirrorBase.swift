import Glibc

/// Remembers in the bus directory where the log began with the last segment, so that places never
/// come again, not even when retention has removed every file that could tell.
enum MirrorBase {
  static let name = ".mirror.base"

  /// How many messages a segment is taken to have had when no file says so.
  private static let unknown: UInt64 = 1 << 40

  /// Returns where the log goes on with a new segment, and remembers it. Hold the mirror's lock.
  ///
  /// - Parameter next: behind the last place in the files; 0 when they have none.
  /// - Throws: `corrupt` when the file makes no sense; `noSpace`, `system`.
  static func raise(to next: UInt64, in directory: OwnedDescriptor) throws(BusError) -> UInt64 {
    var base = min(next, 1 << 62)
    if let before = try read(in: directory), base < before {
      base = min(before, 1 << 62).addingSaturating(unknown)
    }
    try write(base, in: directory)
    return base
  }

  private static func read(in directory: OwnedDescriptor) throws(BusError) -> UInt64? {
    let file: OwnedDescriptor
    do throws(BusError) {
      file = try TopicFile.open(name, in: directory, flags: O_RDONLY).descriptor
    } catch {
      if error.code == .notFound { return nil }
      throw error
    }
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = unsafe Glibc.read(file.number, &bytes, bytes.count)
    guard count >= 0 else { throw .system("read", name) }
    let text = String(decoding: bytes[..<count], as: UTF8.self)
    guard text.hasSuffix("\n"), let base = UInt64(text.dropLast()) else {
      throw BusError(
        .corrupt, "\(name) in the bus directory holds no number",
        hint: "write a number into it that is greater than every position in the topic files, or "
          + "remove it if there are none")
    }
    return base
  }

  /// The whole file or nothing: a new one takes the old one's name.
  private static func write(_ base: UInt64, in directory: OwnedDescriptor) throws(BusError) {
    let made = name + ".new"
    unsafe unlinkat(directory.number, made, 0)
    let file = try TopicFile.open(made, in: directory, flags: O_WRONLY | O_EXCL, create: true)
    let line = Array("\(base)\n".utf8)
    guard unsafe Glibc.write(file.descriptor.number, line, line.count) == line.count,
      fdatasync(file.descriptor.number) == 0,
      unsafe renameat(directory.number, made, directory.number, name) == 0
    else { throw .system("write", name) }
  }
}
