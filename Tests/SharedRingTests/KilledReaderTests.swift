import BusTesting
import Glibc
import SharedRing
import Synchronization
import Testing

/// A reader for which publishers wait is killed; here by what the kernel does then.
@Suite struct KilledReaderTests {
  /// The row's lock is gone as soon as its holder is, and publishers go on at once; while the
  /// holder is only stopped they wait.
  @Test func releasesPublishers() async throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let segment = try RawSegment(ring)
    let before = try #require(try RingSnapshot(of: ring.location))
    #expect(before.subscribers.isEmpty)
    // Holds the lock of row 0 and nothing else: what a stopped subscription looks like.
    let holder = try LockHolder(ring.location.path, byte: 0x2_0000_0000)
    segment[segment.rowState(0) + 16] = .max
    segment[segment.rowState(0)] = 3
    for number in 0..<64 { #expect(try publisher.publish([UInt8(number)])) }
    #expect(try !publisher.publish([64]))
    #expect(try !publisher.publish([64]))
    let isSent = Atomic<Bool>(false)
    try await withHangGuard {
      try await onThreads(2) { index in
        if index == 0 {
          try publisher.publish([64], wait: .untilRoom(RingCancellation()))
          isSent.store(true, ordering: .sequentiallyConsistent)
        } else {
          for _ in 0..<3 { pauseThread(10) }
          let wasSent = isSent.load(ordering: .sequentiallyConsistent)
          #expect(!wasSent)
          try holder.kill()
        }
      }
    }
    #expect(segment[segment.rowState(0)] == 2)
  }
}

/// Another open file description that holds a lock, as another process would; gone when told.
private final class LockHolder: Sendable {
  private let descriptor: Int32

  init(_ path: String, byte: off_t) throws {
    descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemFailure("open \(path)") }
    var lock = flock()
    lock.l_type = Int16(F_WRLCK)
    lock.l_start = byte
    lock.l_len = 1
    // F_OFD_SETLK
    guard unsafe fcntl(descriptor, 37, &lock) == 0 else { throw SystemFailure("lock") }
  }

  func kill() throws {
    guard close(descriptor) == 0 else { throw SystemFailure("close") }
  }
}
