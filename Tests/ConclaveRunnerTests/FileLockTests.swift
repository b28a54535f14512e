import BusTesting
import Glibc
import SharedRing
import Testing

@testable import ConclaveRunner

@Suite struct FileLockTests {
  @Test func oneAtATime() throws {
    let temporary = try TemporaryDirectory()
    let path = temporary.appending("lock")
    #expect(!FileLock.isHeld(path))
    let lock = try #require(try FileLock(path))
    #expect(FileLock.isHeld(path) && FileLock.owner(path) == Int(getpid()))
    #expect(try FileLock(path) == nil)
    withExtendedLifetime(lock) {}
  }

  /// Whoever only looks is not in the way, however often.
  @Test func looking() async throws {
    let temporary = try TemporaryDirectory()
    let path = temporary.appending("lock")
    let isOver = Lock(false)
    async let looks: Void = onThread {
      while !isOver.withLock({ $0 }) { _ = FileLock.isHeld(path) }
    }
    defer { isOver.withLock { $0 = true } }
    let refused = try await onThread { try (0..<2000).count { _ in try FileLock(path) == nil } }
    #expect(refused == 0)
    isOver.withLock { $0 = true }
    try await looks
  }
}
