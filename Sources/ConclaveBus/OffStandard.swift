import Glibc

/// Moves a new descriptor away from 0 to 2, where whoever started this process may have left a
/// hole: somebody's next line of output would land in the file. Keeps `errno`.
func offStandard(_ descriptor: Int32) -> Int32 {
  guard (STDIN_FILENO...STDERR_FILENO).contains(descriptor) else { return descriptor }
  let moved = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
  let failure = errno
  close(descriptor)
  errno = failure
  return moved
}
