import BusTesting
import Glibc
import SharedRing
import Testing

/// Something else has the segment's name.
@Suite struct SquatterTests {
  enum Squatter: String, CaseIterable, Sendable {
    case symbolicLink, danglingLink, fifo, directory, socketless, hardLink, openToOthers, foreign
    case device
  }

  private func make(_ squatter: Squatter, _ ring: TestRing, _ victim: String) throws {
    let path = ring.location.path
    let made: Int32 =
      switch squatter {
      case .symbolicLink: unsafe symlink(victim, path)
      case .danglingLink: unsafe symlink("\(ring.location.directory)/nowhere", path)
      case .fifo: unsafe mkfifo(path, 0o600)
      case .directory: unsafe mkdir(path, 0o700)
      case .socketless: unsafe mknod(path, S_IFSOCK | 0o600, 0)
      // /dev/null.
      case .device: unsafe mknod(path, S_IFCHR | 0o600, 1 << 8 | 3)
      case .hardLink: unsafe link(victim, path)
      case .openToOthers: write("mine", to: path, mode: 0o644)
      case .foreign: unsafe write("mine", to: path, mode: 0o600) | chown(path, 65_534, 65_534)
      }
    if made != 0 { throw SystemFailure("make \(squatter)") }
  }

  /// Refused: not followed, not waited for, not written to, not removed.
  @Test(arguments: Squatter.allCases)
  func isRefused(_ squatter: Squatter) throws {
    if [.foreign, .device].contains(squatter), geteuid() != 0 { return }
    let ring = try TestRing()
    let victim = "\(ring.location.directory)/victim"
    #expect(write("precious", to: victim, mode: 0o600) == 0)
    defer {
      unsafe unlink(victim)
      unsafe rmdir(ring.location.path)
    }
    try make(squatter, ring, victim)
    let before = entries(of: ring.location.directory)
    #expect(throws: RingError.squatted) { try ring.publisher() }
    #expect(throws: RingError.squatted) { try ring.subscriber() }
    #expect(throws: RingError.squatted) { try ring.location.removeSegment() }
    #expect(throws: RingError.squatted) { try RingSnapshot(of: ring.location) }
    #expect(entries(of: ring.location.directory) == before)
    #expect(read(victim) == "precious")
  }

  /// A segment of a group is one if its file is, whatever bears its name.
  @Test(
    arguments: [
      (0o660, 70), (0o660, 71), (0o666, 70), (0o640, 70), (0o600, 70), (0o664, 70),
    ] as [(mode_t, gid_t)])
  func aGroupsSegmentIsItsGroups(_ mode: mode_t, _ group: gid_t) throws {
    guard geteuid() == 0 else { return }
    let ring = try TestRing(sharedWith: .group(70))
    try ring.publisher().die()
    #expect(unsafe chown(ring.location.path, uid_t.max, group) == 0)
    #expect(unsafe chmod(ring.location.path, mode) == 0)
    if mode == 0o660, group == 70 {
      #expect(try RingSnapshot(of: ring.location) != nil)
    } else {
      #expect(throws: RingError.squatted) { try RingSnapshot(of: ring.location) }
      #expect(throws: RingError.squatted) { try ring.publisher() }
    }
    guard mode != 0o600 else { return }
    var own = ring.location
    own.rights = .user
    #expect(throws: RingError.squatted) { try RingSnapshot(of: own) }
  }

  /// Files of this user that are no segment of this bus: replaced when nobody lives in them.
  enum Stale: CaseIterable, Sendable {
    case empty, short, magic, version, boot, slots, lanes, size, truncated, path, owner, zeros
  }

  private func spoil(_ stale: Stale, _ ring: TestRing) throws {
    let segment = try RawSegment(ring)
    switch stale {
    case .empty: unsafe truncate(ring.location.path, 0)
    case .short: unsafe truncate(ring.location.path, 4000)
    case .magic: segment[0] ^= 1
    case .version: segment[8] ^= 1 << 5
    case .owner: segment[8] ^= 1 << 40
    case .boot: segment[56] ^= 1
    case .slots: segment[16] ^= 1
    case .lanes: segment[16] |= 0xFFFF_FFFF << 32
    case .size: segment[40] += 1
    case .truncated: unsafe truncate(ring.location.path, off_t(segment.byteCount - 4096))
    case .path: segment[96] ^= 1
    case .zeros: for word in 0..<512 { segment[word * 8] = 0 }
    }
  }

  @Test(arguments: Stale.allCases)
  func staleSegmentsAreReplaced(_ stale: Stale) throws {
    let ring = try TestRing()
    try ring.publisher().die()
    try spoil(stale, ring)
    let publisher = try ring.publisher()
    let subscriber = try ring.subscriber()
    try publisher.publish([1])
    #expect(subscriber.readAll().bytes == [[1]])
    #expect(publisher.lastPosition == 0)
    #expect(entries(of: ring.location.directory) == ["segment"])
  }

  /// Not while somebody lives in it.
  @Test(arguments: Stale.allCases.filter { ![.empty, .short, .truncated].contains($0) })
  func inhabitedSegmentsStay(_ stale: Stale) throws {
    let ring = try TestRing()
    let publisher = try ring.publisher()
    let subscriber = try ring.subscriber()
    try spoil(stale, ring)
    do {
      _ = try ring.publisher()
      Issue.record("replaced")
    } catch {
      #expect(isIncompatible(error) || error == .squatted)
    }
    #expect(throws: RingError.self) { try ring.location.removeSegment() }
    try publisher.publish([1])
    #expect(subscriber.readAll().bytes == [[1]])
  }

  /// Many who find a stale segment at once: all end up in one new one, none is told that it is in
  /// use.
  @Test func replacedOnceByMany() async throws {
    for _ in 0..<30 {
      let ring = try TestRing(RingGeometry(slotCount: 64, laneCount: 8, laneBytes: 16_384))
      try ring.publisher().die()
      try spoil(.boot, ring)
      try await withHangGuard {
        try await onThreads(8) { _ in try ring.publisher().publish([1]) }
      }
    }
  }

  private func isIncompatible(_ error: RingError) -> Bool {
    if case .incompatible = error { true } else { false }
  }

  private func write(_ text: String, to path: String, mode: mode_t) -> Int32 {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { return -1 }
    defer { close(descriptor) }
    fchmod(descriptor, mode)
    return unsafe Glibc.write(descriptor, text, text.utf8.count) == text.utf8.count ? 0 : -1
  }

  private func read(_ path: String) -> String {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 100)
    let count = unsafe Glibc.read(descriptor, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }
}
