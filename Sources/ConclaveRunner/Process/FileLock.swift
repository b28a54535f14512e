import ConclaveBus
import Glibc

/// A lock that the kernel gives back however its owner dies: `flock` on a file, in which the
/// owner's number stands for people.
final class FileLock: Sendable {
  private let file: OwnedFile

  /// - Returns: nil while another process has it.
  /// - Throws: `permissionDenied`, `noSpace`, `system` when there can be no such file.
  init?(_ path: String) throws(BusError) {
    file = OwnedFile(
      unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600))
    guard file.number >= 0 else { throw systemError("open \(shown(path))") }
    guard try FileLock.take(file, path) else { return nil }
    let text = Array("\(getpid())\n".utf8)
    ftruncate(file.number, 0)
    _ = unsafe text.withUnsafeBytes { unsafe pwrite(file.number, $0.baseAddress, $0.count, 0) }
  }

  /// Closing alone would leave it with a child that is between fork and exec.
  deinit { _ = flock(file.number, LOCK_UN) }

  /// Whoever only looks has it for an instant (``isHeld(_:)``): the first no is not believed.
  private static func take(_ file: OwnedFile, _ path: String) throws(BusError) -> Bool {
    for _ in 0..<20 {
      if flock(file.number, LOCK_EX | LOCK_NB) == 0 { return true }
      guard errno == EWOULDBLOCK else { throw systemError("lock \(shown(path))") }
      usleep(5000)
    }
    return false
  }

  /// The process whose number the file holds.
  static func owner(_ path: String) -> Int? {
    guard let bytes = try? DurableFile.read(path, limit: 100) else { return nil }
    return Int(String(decoding: bytes, as: UTF8.self).trimmed)
  }

  /// Whether some process has the lock now.
  static func isHeld(_ path: String) -> Bool {
    let file = OwnedFile(
      unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK))
    guard file.number >= 0 else { return false }
    // Shared, so that two who only look do not see each other.
    return flock(file.number, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }
}
