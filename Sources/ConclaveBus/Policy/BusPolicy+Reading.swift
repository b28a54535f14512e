import Glibc

/// The file itself.
extension BusPolicy {
  /// Reads the policy of the bus in `directory`; nil when there is none.
  ///
  /// It is believed where only who owns the bus directory, or root, can have written it.
  /// - Throws: `permissionDenied` when somebody else could, or it cannot be read; `incompatible`
  ///   for what is no policy, or longer than 1 MiB; `notFound` when the directory is gone;
  ///   `exhausted`, `system`.
  public static func read(of directory: BusDirectory) throws(BusError) -> BusPolicy? {
    let folder = try directory.open()
    let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
    let number = offStandard(unsafe openat(folder.number, fileName, flags))
    guard number >= 0 else {
      switch errno {
      case ENOENT: return nil
      case ELOOP, ENXIO: throw .policy("it is not a regular file")
      case EACCES:
        throw BusError(
          .permissionDenied, "\(fileName) in the bus directory cannot be read",
          hint: "have its owner chmod a+r it")
      default: throw .system("open", fileName)
      }
    }
    let file = OwnedDescriptor(number)
    let size = try checkedSize(file, directory)
    var bytes = [UInt8](repeating: 0, count: size)
    let count = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe pread(file.number, buffer.baseAddress, buffer.count, 0)
    }
    guard count >= 0 else { throw .system("read", fileName) }
    do throws(BusError) {
      return try BusPolicy(json: RawJSON(Array(bytes.prefix(count))))
    } catch {
      guard error.code == .invalidPayload else { throw error }
      throw .policy("it is not JSON")
    }
  }

  private static func checkedSize(
    _ file: OwnedDescriptor, _ directory: BusDirectory
  ) throws(BusError) -> Int {
    var status = stat()
    guard unsafe fstat(file.number, &status) == 0 else { throw .system("look at", fileName) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .policy("it is not a regular file") }
    let isOwners = status.st_uid == directory.owner || status.st_uid == 0
    guard isOwners, status.st_mode & 0o022 == 0, status.st_nlink == 1 else {
      throw BusError(
        .permissionDenied,
        "\(fileName) in the bus directory is not believed: others than the directory's owner "
          + "(uid \(directory.owner)) can have written it",
        hint: "look at it, then chown \(directory.owner) and chmod go-w it, or remove it")
    }
    guard status.st_size <= 1 << 20 else { throw .policy("it is longer than 1 MiB") }
    return Int(status.st_size)
  }
}
