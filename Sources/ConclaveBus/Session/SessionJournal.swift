import Glibc

/// The file `.journal` in a session's bus directory: the paths below it that the session's owner
/// has made, and that go with the directory when it is removed. One path a line, written before
/// the thing is made.
enum SessionJournal {
  static let name = ".journal"
  private static let pathLimit = 1024
  /// More than a session of a day lists; a longer file is not read to its end.
  private static let sizeLimit = 16 << 20

  /// - Throws: `invalidName` for a path that could lead out of the directory or names what is the
  ///   bus's own; `noSpace`, `system`.
  static func add(_ path: String, in directory: OwnedDescriptor) throws(BusError) {
    guard isWellFormed(path) else {
      throw BusError(
        .invalidName, "\(quotedForError(path)) is not a path below the bus directory",
        hint: "name it relative to the directory, without . and .. and hidden names, "
          + "in at most \(pathLimit) bytes")
    }
    let (file, status) = try TopicFile.open(
      name, in: directory, flags: O_WRONLY | O_APPEND, create: true)
    // A line feed first: what was left torn must not become part of this line.
    let line = Array("\n\(path)\n".utf8)
    let written = unsafe write(file.number, line, line.count)
    guard written == line.count else {
      let error = BusError.system("write to", name, errno: written >= 0 ? ENOSPC : errno)
      _ = ftruncate(file.number, status.st_size)
      throw error
    }
  }

  /// The paths, in the order in which they were listed; those that could not have been listed are
  /// left out.
  static func paths(in directory: OwnedDescriptor) throws(BusError) -> [String] {
    let (file, status): (OwnedDescriptor, stat)
    do throws(BusError) {
      (file, status) = try TopicFile.open(name, in: directory, flags: O_RDONLY)
    } catch {
      if error.code == .notFound { return [] }
      throw error
    }
    var bytes = [UInt8](repeating: 0, count: min(sizeLimit, Int(max(0, status.st_size))))
    let count = unsafe pread(file.number, &bytes, bytes.count, 0)
    guard count >= 0 else { throw .system("read", name) }
    guard let end = bytes[..<count].lastIndex(of: UInt8(ascii: "\n")) else { return [] }
    return bytes[..<end].split(separator: UInt8(ascii: "\n")).compactMap { line in
      String(validating: line, as: UTF8.self).flatMap { isWellFormed($0) ? $0 : nil }
    }
  }

  /// Removes what is listed, what was listed last first. Directories only when they are empty.
  static func removeListed(in directory: OwnedDescriptor) throws(BusError) {
    for path in try paths(in: directory).reversed() { try remove(path, in: directory) }
  }

  private static func remove(_ path: String, in directory: OwnedDescriptor) throws(BusError) {
    var parts = path.split(separator: "/").map(String.init)
    let leaf = parts.removeLast()
    var folder = directory
    for part in parts {
      // Whatever is no directory, a symbolic link above all, ends the way.
      guard let next = try? PrivateFolder.existing(part, in: folder) else { return }
      folder = next
    }
    guard let status = try TopicFile.status(of: leaf, in: folder) else { return }
    let isFolder = status.st_mode & S_IFMT == S_IFDIR
    guard unsafe unlinkat(folder.number, leaf, isFolder ? AT_REMOVEDIR : 0) != 0 else { return }
    let code = errno
    // What others have put into it keeps it.
    guard [ENOENT, ENOTEMPTY, EEXIST].contains(code) else {
      throw .system("remove", path, errno: code)
    }
  }

  private static func isWellFormed(_ path: String) -> Bool {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    return path.utf8.count <= pathLimit && path.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
      && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
      && parts.first?.hasPrefix(".") == false
  }
}
