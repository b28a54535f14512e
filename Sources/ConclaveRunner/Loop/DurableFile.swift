import ConclaveBus
import Glibc

/// Files that are whole, whenever the machine stops.
enum DurableFile {
  /// Replaces the file in one step: a temporary file beside it, forced to the disk, renamed over
  /// it, and the rename forced as well.
  ///
  /// - Parameter access: who may read the new one.
  /// - Throws: `noSpace`, `permissionDenied`, `system`; the old file is then untouched.
  static func write(
    _ bytes: [UInt8], to path: String, like access: Access = .own
  ) throws(BusError) {
    let temporary = "\(path).\(getpid()).tmp"
    let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW
    let file = OwnedFile(unsafe open(temporary, flags, access.creationMode))
    guard file.number >= 0 else { throw systemError("write \(shown(path))") }
    do throws(BusError) {
      access.apply(to: file)
      try writeAll(bytes, to: file, path)
      guard fsync(file.number) == 0, unsafe rename(temporary, path) == 0 else {
        throw systemError("write \(shown(path))")
      }
    } catch {
      unsafe unlink(temporary)
      throw error
    }
    let folder = OwnedFile(unsafe open(parent(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC))
    if folder.number >= 0 { fsync(folder.number) }
  }

  private static func writeAll(
    _ bytes: [UInt8], to file: OwnedFile, _ path: String
  ) throws(BusError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.write(file.number, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw systemError("write \(shown(path))") }
      rest = rest.dropFirst(count)
    }
  }

  /// The bytes of a regular file of at most `limit` bytes, or nil when there is none.
  ///
  /// - Throws: `messageTooLarge`; `permissionDenied`, `system` when it cannot be read.
  static func read(_ path: String, limit: Int = 1 << 24) throws(BusError) -> [UInt8]? {
    // Without O_NONBLOCK a FIFO in the place of the file would stop us here.
    let file = OwnedFile(unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK))
    guard file.number >= 0 else {
      if errno == ENOENT { return nil }
      throw systemError("read \(shown(path))")
    }
    var information = stat()
    guard unsafe fstat(file.number, &information) == 0,
      information.st_mode & S_IFMT == S_IFREG
    else { return nil }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe Glibc.read(file.number, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw systemError("read \(shown(path))") }
      guard count > 0 else { return bytes }
      bytes += chunk[..<count]
      guard bytes.count <= limit else {
        throw BusError(
          .messageTooLarge, "\(shown(path)) has more than \(limit) bytes", hint: "shorten it")
      }
    }
  }

  /// Makes the directory and its missing parents.
  static func makeFolder(_ path: String) throws(BusError) {
    if unsafe mkdir(path, 0o700) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, path != "/" else { throw systemError("make \(shown(path))") }
    try makeFolder(parent(path))
    guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
      throw systemError("make \(shown(path))")
    }
  }

  private static func parent(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return "/" }
    return String(path[..<slash])
  }
}
