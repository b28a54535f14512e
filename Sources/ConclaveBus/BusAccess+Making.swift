import CShim
import Glibc

/// What those who take part in a bus make, so that the others of them can use it.
extension BusAccess {
  /// Gives what this process has just made its group and its mode, whatever the umask is.
  ///
  /// - Returns: 0 or an errno.
  func claim(_ descriptor: Int32, mode: mode_t) -> Int32 {
    guard let group else { return 0 }
    // The group first: changing it may take bits from the mode.
    guard fchown(descriptor, uid_t.max, group) == 0, fchmod(descriptor, mode) == 0 else {
      return errno
    }
    return 0
  }

  /// Makes a directory, if nothing bears its name. A member who comes in between finds it closed
  /// for a moment: see ``waits(until:)``.
  ///
  /// A member who comes in between finds it closed for a moment: see ``waits(until:)``.
  /// - Returns: 0 or an errno; `EEXIST` where there is something.
  func makeFolder(_ path: String) -> Int32 {
    guard unsafe mkdir(path, 0o700) == 0 else { return errno }
    guard group != nil else { return 0 }
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    let folder = unsafe open(path, flags)
    guard folder >= 0 else { return errno }
    defer { close(folder) }
    return claim(folder, mode: folderMode)
  }

  /// Makes an empty file that has its rights as soon as it has its name, so that who dies on the
  /// way leaves nothing that the others cannot use.
  ///
  /// - Returns: 0 or an errno; `EEXIST` where there is something.
  func makeFile(_ name: String, in directory: Int32) -> Int32 {
    let unnamed = offStandard(conclave_file_unnamed(directory))
    guard unnamed >= 0 else {
      return errno == EOPNOTSUPP ? makeNamedFile(name, in: directory) : errno
    }
    defer { close(unnamed) }
    let failure = claim(unnamed, mode: fileMode)
    guard failure == 0 else { return failure }
    let path = "/proc/self/fd/\(unnamed)"
    return unsafe linkat(AT_FDCWD, path, directory, name, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno
  }

  /// The same where the file system has no files without a name.
  private func makeNamedFile(_ name: String, in directory: Int32) -> Int32 {
    let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    let file = offStandard(unsafe openat(directory, name, flags, 0o600))
    guard file >= 0 else { return errno }
    defer { close(file) }
    return claim(file, mode: fileMode)
  }

  /// Waits as long as somebody else may be about to give the directory at hand its rights.
  ///
  /// - Parameter look: whether it has them; asked every millisecond, for a second.
  func waits(until look: () -> Bool) {
    guard group != nil else { return }
    for _ in 0..<1000 {
      if look() { return }
      usleep(1000)
    }
  }
}
