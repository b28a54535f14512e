import BusTesting
import Glibc
import SharedRing
import Testing

/// Shared memory is full: an error from a call, nothing left behind, never a signal at a later
/// store.
@Suite struct NoSpaceTests {
  /// A file system of its own, as small as wanted; nil when this process may not mount one.
  private final class SmallMemory {
    let path: String

    init?(_ options: String) throws {
      path = try makeDirectory()
      guard unsafe mount("tmpfs", path, "tmpfs", 0, options) == 0 else {
        unsafe rmdir(path)
        return nil
      }
    }

    deinit {
      unsafe umount2(path, Int32(MNT_DETACH))
      unsafe rmdir(path)
    }
  }

  static let mayMount = geteuid() == 0

  /// From "not even the header fits" to "one lane of two fits".
  @Test(
    .enabled(if: mayMount, "only root may mount"), arguments: [4, 8, 64, 100, 120, 124, 128, 256])
  func everySize(_ kilobytes: Int) throws {
    guard let memory = try SmallMemory("size=\(kilobytes)k,mode=0700") else { return }
    let geometry = RingGeometry(
      slotCount: 64, laneCount: 16, laneBytes: 65_536, subscriptionCount: 4)
    let ring = try TestRing(geometry, in: memory.path)
    var publishers: [TestPublisher] = []
    do throws(RingError) {
      let subscriber = try ring.subscriber()
      for _ in 0..<16 { publishers.append(try ring.publisher()) }
      _ = subscriber
      Issue.record("it all fitted")
    } catch {
      #expect(error == .noSpace)
    }
    // Those that have a lane have all of it.
    for publisher in publishers {
      for number in 0..<100 { try publisher.publish(content(0, number, size: 4000)) }
    }
    let segments = entries(of: memory.path)
    #expect(segments == [] || segments == ["segment"])
    if segments == [] { #expect(free(memory.path) >= kilobytes * 1024 - 4096) }
    // A lane that a dead publisher leaves has its memory already.
    if let last = publishers.popLast() {
      last.die()
      let next = try ring.publisher()
      try next.publish(content(0, 0, size: 4000))
    }
  }

  @Test(.enabled(if: mayMount, "only root may mount"))
  func noInode() throws {
    guard let memory = try SmallMemory("size=4m,nr_inodes=1,mode=0700") else { return }
    let ring = try TestRing(in: memory.path)
    #expect(throws: RingError.noSpace) { try ring.publisher() }
    #expect(entries(of: memory.path) == [])
  }

  private func free(_ path: String) -> Int {
    var status = statvfs()
    guard unsafe statvfs(path, &status) == 0 else { return 0 }
    return Int(status.f_bfree) * Int(status.f_frsize)
  }
}
