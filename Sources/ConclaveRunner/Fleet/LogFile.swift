import Glibc

/// A file that people read when something has gone wrong. That nothing can be written is no reason
/// to stop.
struct LogFile: Hashable, Sendable {
  let path: String

  /// Appends a line.
  func say(_ line: String) {
    let file = OwnedFile(
      unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600))
    let bytes = Array("\(line)\n".utf8)
    _ = unsafe write(file.number, bytes, bytes.count)
  }
}
