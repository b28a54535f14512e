import BusTesting
import Foundation
import Glibc
import SharedRing
import Testing

/// A subscriber that may write nothing: what it sees, and what nobody sees of it.
@Suite struct ReadOnlyTests {
  private func join(_ ring: TestRing) throws(RingError) -> RingSubscriber {
    try RingSubscriber(ring.location, creating: ring.geometry, policy: .readOnly, label: "test")
  }

  @Test func makesNoSegment() throws {
    let ring = try TestRing()
    #expect(throws: RingError.notFound) { try join(ring) }
    #expect(entries(of: ring.location.directory).isEmpty)
  }

  /// What nobody could use it leaves to those who may write.
  @Test func replacesNoSegment() throws {
    let ring = try TestRing()
    let content = Data(repeating: 7, count: 10_000)
    try content.write(to: URL(fileURLWithPath: ring.location.path))
    guard unsafe chmod(ring.location.path, 0o600) == 0 else { throw RingError.system(errno: errno) }
    #expect(throws: RingError.incompatible(.notASegment)) { try join(ring) }
    #expect(try Data(contentsOf: URL(fileURLWithPath: ring.location.path)) == content)
  }

  /// The kernel keeps it from writing: neither the mapping nor the descriptor can, nor will later.
  @Test func theKernelKeepsItFromWriting() throws {
    let ring = try TestRing()
    try ring.publisher().die()
    let reader = try join(ring)
    // Its size is said to be 0, so it is read until it ends.
    let file = try #require(FileHandle(forReadingAtPath: "/proc/self/maps"))
    let text = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
    let mappings = text.split(separator: "\n").filter { $0.hasSuffix(ring.location.path) }
    #expect(mappings.count == 1)
    for mapping in mappings {
      let words = mapping.split(separator: " ")
      #expect(words[1] == "r--s", "\(mapping)")
      let bounds = words[0].split(separator: "-").compactMap { UInt(String($0), radix: 16) }
      let start = unsafe UnsafeMutableRawPointer(bitPattern: bounds[0])
      let failure = unsafe mprotect(start, 4096, PROT_READ | PROT_WRITE) == 0 ? 0 : errno
      #expect(failure == EACCES)
    }
    #expect(reader.readAll().messages.isEmpty)
  }

  /// It takes no row, so that any number of them may be there, and nobody sees them.
  @Test func takesNoPlace() throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let before = try Data(contentsOf: URL(fileURLWithPath: ring.location.path))
    let readers = try (0..<20).map { _ in try join(ring) }
    #expect(try RingSnapshot(of: ring.location)?.subscribers == [])
    for reader in readers {
      #expect(reader.readAll().messages.isEmpty)
      reader.noteLost(3)
      reader.interrupt()
      reader.park(untilNanoseconds: 0)
    }
    for reader in readers { reader.leave() }
    #expect(try Data(contentsOf: URL(fileURLWithPath: ring.location.path)) == before)
    publisher.die()
  }

  /// The segment stays while one of them is there.
  @Test func keepsTheSegment() throws {
    let ring = try TestRing()
    try ring.publisher().die()
    let readers = try (0..<2).map { _ in try join(ring) }
    #expect(throws: RingError.busy) { try ring.location.removeSegment() }
    readers[0].leave()
    #expect(throws: RingError.busy) { try ring.location.removeSegment() }
    readers[1].leave()
    #expect(try ring.location.removeSegment())
  }

  /// Nobody can wake it, and still it sleeps no longer than until there is something.
  @Test func looksByItself() async throws {
    let ring = try TestRing(RingGeometry(slotCount: 4096, laneCount: 1, laneBytes: 1_048_576))
    let publisher = try ring.publisher()
    let readers = try (0..<3).map { _ in try join(ring) }
    try await withHangGuard {
      try await onThreads(4) { index in
        if index < 3 {
          #expect(collect(50, from: readers[index]).messages.count == 50)
        } else {
          for number in 0..<50 {
            try publisher.publish(numbered(0, number))
            pauseThread(2)
          }
        }
      }
    }
  }

  @Test func anInterruptionEndsItsSleep() async throws {
    let ring = try TestRing()
    try ring.publisher().die()
    let reader = try join(ring)
    let isOver = RingCancellation()
    try await withHangGuard {
      try await onThreads(2) { index in
        if index == 0 {
          for _ in 0..<20 { reader.park(untilNanoseconds: .max) }
          isOver.raise()
        } else {
          while !isOver.isRaised {
            reader.interrupt()
            pauseThread(1)
          }
        }
      }
    }
  }

  /// Losses are told as to any other that is too slow.
  @Test func isOverrun() throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let reader = try join(ring)
    for number in 0..<1000 { try publisher.publish(numbered(0, number)) }
    var seen = Received()
    while true {
      let more = reader.readAll()
      if more.messages.isEmpty, more.losses.isEmpty { break }
      seen.messages += more.messages
      seen.losses += more.losses
    }
    #expect(seen.messages.last?.bytes == numbered(0, 999))
    #expect(UInt64(seen.messages.count) + seen.lostPositions == 1000)
  }
}
