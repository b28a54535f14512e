import Glibc

/// Removes a directory with everything in it, also what was made read-only, as far as this process
/// may. Symbolic links are removed and never followed, and other file systems are left alone.
///
/// Blocks; has a file open for each level. What others put there meanwhile may stay.
struct FolderRemoval {
  /// An entry of a directory: a name need not be UTF-8.
  private struct Entry {
    /// With its zero.
    let name: [CChar]
    /// For people.
    let path: String
  }

  private let device: dev_t
  /// The first thing that stays; nil while nothing does.
  private var left: String?

  /// - Parameter path: absolute.
  /// - Returns: the first thing that stays; nil when nothing is left at the path.
  static func remove(_ path: String) -> String? {
    var information = stat()
    guard unsafe lstat(path, &information) == 0 else { return nil }
    var removal = FolderRemoval(device: information.st_dev)
    removal.remove(Entry(name: Array(path.utf8CString), path: path), in: AT_FDCWD, information)
    return removal.left
  }

  private init(device: dev_t) { self.device = device }

  private mutating func remove(_ entry: Entry, in folder: Int32, _ information: stat) {
    guard information.st_mode & S_IFMT == S_IFDIR else { return unlink(entry, in: folder) }
    guard information.st_dev == device else { return keep(entry) }
    if information.st_mode & S_IRWXU != S_IRWXU {
      // Otherwise nothing in it could be looked at or removed.
      let mode = information.st_mode & 0o7777 | S_IRWXU
      unsafe fchmodat(folder, entry.name, mode, AT_SYMLINK_NOFOLLOW)
    }
    removeEntries(of: entry, in: folder)
    unlink(entry, in: folder, AT_REMOVEDIR)
  }

  private mutating func unlink(_ entry: Entry, in folder: Int32, _ flags: Int32 = 0) {
    if unsafe unlinkat(folder, entry.name, flags) != 0, errno != ENOENT { keep(entry) }
  }

  private mutating func removeEntries(of entry: Entry, in folder: Int32) {
    let number = unsafe openat(
      folder, entry.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard number >= 0 else { return }
    let file = OwnedFile(number)
    for inner in FolderRemoval.entries(of: entry, number) {
      var information = stat()
      guard unsafe fstatat(file.number, inner.name, &information, AT_SYMLINK_NOFOLLOW) == 0 else {
        continue
      }
      remove(inner, in: file.number, information)
    }
  }

  private static func entries(of entry: Entry, _ number: Int32) -> [Entry] {
    let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else { return [] }
    guard let stream = unsafe fdopendir(copy) else {
      close(copy)
      return []
    }
    defer { unsafe closedir(stream) }
    var found: [Entry] = []
    while let next = unsafe readdir(stream) {
      let bytes = unsafe withUnsafeBytes(of: &next.pointee.d_name) { bytes in
        unsafe Array(bytes.prefix { $0 != 0 })
      }
      let text = String(decoding: bytes, as: UTF8.self)
      if text == "." || text == ".." { continue }
      found.append(
        Entry(name: bytes.map { CChar(bitPattern: $0) } + [0], path: "\(entry.path)/\(text)"))
    }
    return found
  }

  private mutating func keep(_ entry: Entry) { left = left ?? entry.path }
}

/// Whether there is anything at the path but an empty directory.
func hasAnything(at path: String) -> Bool {
  var information = stat()
  guard unsafe lstat(path, &information) == 0 else { return false }
  return information.st_mode & S_IFMT != S_IFDIR || !DurableFile.names(in: path).isEmpty
}
