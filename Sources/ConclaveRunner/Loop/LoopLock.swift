import ConclaveBus
import Glibc

/// At most one loop in a worktree: a lock on `.ralph.lock`, which the kernel gives back however its
/// owner dies. What the file says is for people only.
final class LoopLock: Sendable {
  private let file: OwnedFile

  /// - Throws: `busy` while another process has it.
  init(_ place: LoopPlace) throws(BusError) {
    file = OwnedFile(
      unsafe open(place.lockFile, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600))
    guard file.number >= 0 else { throw systemError("open \(shown(place.lockFile))") }
    guard flock(file.number, LOCK_EX | LOCK_NB) == 0 else {
      guard errno == EWOULDBLOCK else { throw systemError("lock \(shown(place.lockFile))") }
      let owner = LoopLock.owner(place).map { " (process \($0))" } ?? ""
      throw BusError(
        .busy, "another loop is at work in \(shown(place.top))\(owner)",
        hint: "wait for it, or see conclave ralph status and conclave ralph stop")
    }
    let text = Array("\(getpid())\n".utf8)
    ftruncate(file.number, 0)
    _ = unsafe text.withUnsafeBytes { unsafe pwrite(file.number, $0.baseAddress, $0.count, 0) }
  }

  /// The process whose number the file holds.
  static func owner(_ place: LoopPlace) -> Int? {
    guard let bytes = try? DurableFile.read(place.lockFile, limit: 100) else { return nil }
    return Int(String(decoding: bytes, as: UTF8.self).trimmed)
  }

  /// Whether some process has the lock now.
  static func isHeld(_ place: LoopPlace) -> Bool {
    let file = OwnedFile(
      unsafe open(place.lockFile, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK))
    guard file.number >= 0 else { return false }
    // Shared, so that two who only look do not see each other.
    return flock(file.number, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }
}
