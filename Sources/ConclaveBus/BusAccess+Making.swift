import CShim
import Glibc

/// What those who take part in a bus make, so that the others of them can use it.
extension BusAccess {
  /// Gives what this process has just made its group and its mode, whatever the umask is.
  ///
  /// - Returns: 0 or an errno.
  func claim(_ descriptor: Int32, mode: mode_t) -> Int32 {
    guard let group else { return 0 }
    // Lists of further users, as a directory hands them down, would be opened by the mode.
    let failure = conclave_access_lists_remove(descriptor)
    guard failure == 0 else { return failure }
    // The group first: changing it may take bits from the mode.
    guard fchown(descriptor, uid_t.max, group) == 0, fchmod(descriptor, mode) == 0 else {
      return errno
    }
    return 0
  }

  /// Makes a directory, if nothing bears its name. One that is shared has its rights as soon as it
  /// has its name: who dies on the way leaves an empty directory with another name.
  ///
  /// - Parameters:
  ///   - path: of the directory, seen from `directory`.
  ///   - directory: an open one, or `AT_FDCWD`.
  /// - Returns: 0 or an errno; `EEXIST` where there is something.
  func makeFolder(_ path: String, in directory: Int32 = AT_FDCWD) -> Int32 {
    guard group != nil else {
      return unsafe mkdirat(directory, path, 0o700) == 0 ? 0 : errno
    }
    var status = stat()
    if unsafe fstatat(directory, path, &status, AT_SYMLINK_NOFOLLOW) == 0 { return EEXIST }
    let draft = "\(path).\(ProcessIdentity.pid)-\(ProcessIdentity.nextIDs(1))~"
    guard unsafe mkdirat(directory, draft, 0o700) == 0 else { return errno }
    var failure = share(draft, in: directory)
    if failure == 0, unsafe conclave_rename_new(directory, draft, path) != 0 { failure = errno }
    if failure != 0 { _ = unsafe unlinkat(directory, draft, AT_REMOVEDIR) }
    return failure
  }

  private func share(_ draft: String, in directory: Int32) -> Int32 {
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    let folder = unsafe openat(directory, draft, flags)
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
}
