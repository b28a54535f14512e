import BusTesting
import Glibc
import SharedRing
import Testing

@testable import ConclaveBus

/// What a mirror keeps of large messages for its successor, whatever it was about to do when it
/// died.
@Suite struct MirrorChainsTests {
  private final class World {
    let scratch = Scratch()
    let directory: OwnedDescriptor
    let ring: RingSubscriber

    init() throws {
      directory = try scratch.directory().open()
      ring = try RingSubscriber(
        RingLocation(directory: scratch.path, name: "segment", owner: "/some/bus"),
        creating: RingGeometry(), policy: .dropping, label: "test")
    }

    func open() throws -> MirrorChains {
      try MirrorChains(in: directory, generation: ring.generation)
    }

    var file: String { "\(scratch.path)/bus/\(MirrorChains.name)" }

    /// What a successor at `position` finds. It changes the file, so a copy is made of it before.
    func found(at position: UInt64) throws -> [RingChain] {
      let before = Disk.read(file)
      defer { Disk.write(file, before) }
      var chains = try open()
      return try chains.recover(below: position, limit: 1 << 24)
    }
  }

  private func chain(_ lane: Int, _ beginning: UInt64, _ count: Int) -> RingChain {
    RingChain(
      lane: lane, beginning: beginning, incarnation: 7, total: 1000,
      bytes: (0..<count).map { UInt8(truncatingIfNeeded: $0 + lane) })
  }

  @Test func everySuccessorFindsWhatItNeeds() throws {
    let world = try World()
    var chains = try world.open()
    /// What was open at each position where the mirror was.
    let steps: [(at: UInt64, open: [RingChain])] = [
      (10, []), (20, [chain(1, 15, 100)]), (30, [chain(1, 15, 300), chain(2, 25, 50)]),
      (40, [chain(2, 25, 70)]), (50, [chain(1, 41, 900), chain(2, 25, 70)]), (60, []), (70, []),
      (80, [chain(3, 71, 10)]),
    ]
    var settled: UInt64 = 0
    for (at, open) in steps {
      try chains.keep(open, until: at)
      // It dies before it says that it is at `at`, or after.
      for step in steps where step.at >= settled && step.at <= at {
        #expect(try world.found(at: step.at) == step.open, "dead at \(at), said \(step.at)")
      }
      chains.settle()
      if open.isEmpty { settled = at }
      #expect(try world.found(at: at) == open)
    }
  }

  /// A death in the middle of a write leaves the beginning of what was to be written.
  @Test func everyTornEnd() throws {
    let world = try World()
    var chains = try world.open()
    try chains.keep([chain(1, 15, 30)], until: 20)
    let first = Disk.read(world.file).count
    try chains.keep([chain(1, 15, 60), chain(2, 25, 40)], until: 30)
    let all = Disk.read(world.file)
    for length in first...all.count {
      Disk.write(world.file, Array(all[..<length]))
      #expect(try world.found(at: 20) == [chain(1, 15, 30)])
      var successor = try world.open()
      let open = try successor.recover(below: 20, limit: 1 << 24)
      try successor.keep([chain(1, 15, 45)], until: 33)
      #expect(open == [chain(1, 15, 30)])
      #expect(try world.found(at: 33) == [chain(1, 15, 45)])
    }
  }

  @Test func anotherSegmentsAreNotBelieved() throws {
    let world = try World()
    var chains = try world.open()
    try chains.keep([chain(1, 15, 30)], until: 20)
    let other = try World()
    Disk.write(other.file, Disk.read(world.file))
    #expect(try other.found(at: 1000) == [])
  }

  @Test func nonsenseEndsTheList() throws {
    let world = try World()
    var chains = try world.open()
    try chains.keep([chain(1, 15, 30)], until: 20)
    let good = Disk.read(world.file)
    for nonsense in [
      "\n", "x\n", "21 1 15 7 1000 30 99999999999999999999\n", "21 1 15 7 1000 31 1\nx",
      "21 1 16 7 1000 30 1\nx", "21 1 15 7 1000 30 18446744073709551615\nx",
      "21 9223372036854775808 15 7 1000 0 1\nx", "21 2 15 7 18446744073709551615 0 1\nx",
      "21 1 15 7 1000 30 970\n" + String(repeating: "x", count: 970),
    ] {
      Disk.write(world.file, good + Array(nonsense.utf8))
      #expect(try world.found(at: 100) == [chain(1, 15, 30)], "\(nonsense)")
    }
  }
}
