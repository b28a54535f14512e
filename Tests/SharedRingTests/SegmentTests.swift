import BusTesting
import Glibc
import SharedRing
import Synchronization
import Testing

@Suite struct SegmentTests {
  /// Whoever is first makes it; all the others are in the same.
  @Test func sixteenAtOnceMakeOne() async throws {
    for _ in 0..<20 {
      let ring = try TestRing(RingGeometry(slotCount: 64, laneCount: 16, laneBytes: 16_384))
      let lanes = Lock<[TestPublisher]>([])
      let reader = Lock<RingSubscriber?>(nil)
      try await withHangGuard {
        try await onThreads(16) { index in
          let publisher = try ring.publisher()
          lanes.withLock { $0.append(publisher) }
          if index == 0 { reader.withLock { $0 = try? ring.subscriber() } }
        }
      }
      let publishers = lanes.withLock { $0 }
      #expect(Set(publishers.map(\.lane)).count == 16)
      for (number, publisher) in publishers.enumerated() {
        try publisher.publish([UInt8(number)])
      }
      #expect(reader.withLock { $0 }?.readAll().bytes == (0..<16).map { [UInt8($0)] })
      #expect(entries(of: ring.location.directory) == ["segment"])
    }
  }

  @Test func removedOnlyWhenNobodyLives() throws {
    let ring = try TestRing()
    #expect(try !ring.location.removeSegment())
    let publisher = try ring.publisher()
    #expect(throws: RingError.busy) { try ring.location.removeSegment() }
    let subscriber = try ring.subscriber()
    publisher.die()
    #expect(throws: RingError.busy) { try ring.location.removeSegment() }
    subscriber.leave()
    #expect(try ring.location.removeSegment())
    #expect(try !ring.location.removeSegment())
    #expect(entries(of: ring.location.directory) == [])
  }

  /// Whoever joined is in the segment that has the name, however often others remove it; and nobody
  /// is told that there is no place when there is.
  @Test func removalRacesWithJoining() async throws {
    let ring = try TestRing(RingGeometry(slotCount: 64, laneCount: 8, laneBytes: 16_384))
    let isOver = RingCancellation()
    try await withHangGuard {
      try await onThreads(4) { index in
        if index < 2 {
          for _ in 0..<1500 { try joinAndMeet(ring) }
          isOver.raise()
        } else {
          while !isOver.isRaised {
            do throws(RingError) { _ = try ring.location.removeSegment() } catch {
              if error != .busy { throw error }
            }
          }
        }
      }
    }
  }

  private func joinAndMeet(_ ring: TestRing) throws {
    let publisher = try ring.publisher()
    // While the publisher lives nobody can remove its segment, so this is the same.
    let subscriber = try ring.subscriber()
    try publisher.publish([5])
    #expect(subscriber.readAll().bytes.contains([5]))
  }

  @Test(arguments: [
    RingGeometry(slotCount: 63), RingGeometry(slotCount: 96), RingGeometry(slotCount: 32),
    RingGeometry(slotCount: 2_097_152), RingGeometry(laneCount: 0), RingGeometry(laneCount: 241),
    RingGeometry(laneBytes: 8192), RingGeometry(laneBytes: 33_554_432),
    RingGeometry(laneBytes: 20_000), RingGeometry(subscriptionCount: 0),
    RingGeometry(subscriptionCount: 241), RingGeometry(messageLimit: 0),
    RingGeometry(messageLimit: 1_073_741_825), RingGeometry(slotCount: -1),
    RingGeometry(slotCount: 1 << 33), RingGeometry(slotCount: 1_048_576, laneBytes: 16_777_216),
  ])
  func impossibleGeometries(_ geometry: RingGeometry) throws {
    let ring = try TestRing(geometry)
    #expect(throws: RingError.impossibleGeometry) { try ring.subscriber() }
    #expect(entries(of: ring.location.directory) == [])
  }

  /// The extremes that are allowed work; memory is taken only for what is used.
  @Test(arguments: [
    RingGeometry(slotCount: 64, laneCount: 1, laneBytes: 16_384, subscriptionCount: 1),
    RingGeometry(slotCount: 1_048_576, laneCount: 240, laneBytes: 16_384, subscriptionCount: 240),
    RingGeometry(slotCount: 64, laneCount: 240, laneBytes: 16_777_216),
  ])
  func extremeGeometries(_ geometry: RingGeometry) throws {
    let ring = try TestRing(geometry)
    let publisher = try ring.publisher()
    let subscriber = try ring.subscriber(
      geometry.subscriptionCount == 1 ? .dropping : .backPressure(timeoutNanoseconds: 1))
    for size in [1, 1000, 4000] {
      try publisher.publish(content(0, size, size: size))
      #expect(subscriber.readAll().bytes == [content(0, size, size: size)])
    }
    #expect(try RingSnapshot(of: ring.location)?.frontier == 3)
  }

  @Test(arguments: [3072, 3073, 0])
  func owners(_ length: Int) throws {
    let ring = try TestRing()
    var location = ring.location
    location.owner = String(repeating: "p", count: length)
    do throws(RingError) {
      _ = try RingSubscriber(location, creating: ring.geometry, policy: .dropping, label: "")
      #expect(length <= 3072)
    } catch {
      #expect(length > 3072)
    }
  }

  @Test func missingDirectory() {
    let location = RingLocation(directory: "/dev/shm/none/such", name: "x", owner: "")
    #expect(throws: RingError.notFound) {
      _ = try RingSubscriber(location, creating: TestRing.small, policy: .dropping, label: "")
    }
    #expect(throws: RingError.self) {
      var long = location
      long.name = String(repeating: "n", count: 5000)
      _ = try RingSubscriber(long, creating: TestRing.small, policy: .dropping, label: "")
    }
  }
}

/// Names in a directory.
func entries(of path: String) -> [String] {
  guard let directory = unsafe opendir(path) else { return [] }
  defer { unsafe closedir(directory) }
  var names: [String] = []
  while let entry = unsafe readdir(directory) {
    let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names.sorted()
}
