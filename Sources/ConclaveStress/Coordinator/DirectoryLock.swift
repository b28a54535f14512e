import Glibc

/// The exclusive lock on a private directory of this user, by which others see that its owner
/// lives: the kernel gives it back when the owner dies, however it dies.
struct DirectoryLock {
  private let descriptor: Int32

  /// nil when somebody holds it, when it is not such a directory, or when its name stands for
  /// something else by now. Never blocks, never follows a symbolic link.
  init?(_ path: String) {
    // Closed on exec: workers must not hold it for a coordinator that is dead.
    descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    var opened = stat()
    var named = stat()
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, unsafe fstat(descriptor, &opened) == 0,
      unsafe lstat(path, &named) == 0, opened.st_ino == named.st_ino,
      opened.st_dev == named.st_dev, opened.st_uid == geteuid(), opened.st_mode & 0o777 == 0o700
    else {
      close(descriptor)
      return nil
    }
  }

  func release() { close(descriptor) }
}
