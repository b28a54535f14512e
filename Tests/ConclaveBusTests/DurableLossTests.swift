import BusTesting
import SharedRing
import Testing

@testable import ConclaveBus

/// Durable subscriptions of a log whose end or beginning is gone.
@Suite(.blocking) struct DurableLossTests {
  /// A power cut: so many lines of the file are left, and the segment is gone.
  private func cutPower(_ fixture: MirroredFixture, keeping count: Int) throws {
    let lines = Disk.lines(fixture.file("t")).prefix(count).map { $0 + [0x0A] }
    Disk.write(fixture.file("t"), Array(lines.joined()))
    #expect(try SharedMemoryBus.clean(fixture.directory))
  }

  /// The second segment comes and goes without the name being used.
  @Test func whatCameBetweenTwoLossesIsDelivered() throws {
    let fixture = try MirroredFixture()
    let first = try fixture.bus()
    let before = try first.subscribe(durable: "n", to: "t")
    try first.say(0..<20)
    try before.acknowledge(upTo: #require(before.take(20).last))
    before.close()
    first.close()
    try cutPower(fixture, keeping: 12)
    let second = try fixture.bus()
    try second.say(100..<108)
    let status = try #require(MirroredBus.durableSubscriptions(of: fixture.directory).first)
    #expect(status.position == 12 && status.claimed == 12 && status.lag == 8)
    second.close()
    try cutPower(fixture, keeping: 20)
    let third = try fixture.bus()
    try third.say(200..<201)
    let warnings = Lock<[BusWarning]>([])
    let after = try third.subscribe(
      durable: "n", to: "t",
      options: DurableOptions(onWarning: { warning in warnings.withLock { $0.append(warning) } }))
    #expect(try after.take(9).map(\.value) == Array(100..<108) + [200])
    let said = warnings.withLock { $0 }
    guard case .durableLoss(name: "n", count: 8, reason: _)? = said.first else {
      Issue.record("\(said)")
      return
    }
  }

  /// Its places are those of another log by now.
  @Test func aMemberWhoseSegmentWasReplacedChangesNothing() throws {
    let scratch = Scratch()
    let directory = try scratch.directory().open()
    func join(_ generation: String, _ base: UInt64) throws -> DurableGroup {
      let group = try DurableGroup(DurableName("n"), in: directory, patience: hangLimit)
      _ = try group.join(
        TopicPrefix("t"), LogHistory.Segment(generation: generation, base: base), first: { 0 })
      return group
    }
    _ = try MirrorBase.raise(to: 0, for: "a", in: directory)
    let old = try join("a", 0)
    #expect(try old.transact(.blocking) { _ in true } == true)
    _ = try MirrorBase.raise(to: 3, for: "b", in: directory)
    let new = try join("b", 3)
    #expect(try new.transact(.blocking) { _ in true } == true)
    let error = #expect(throws: BusError.self) { try old.transact(.blocking) { _ in true } }
    #expect(error?.code == .notFound && error?.hint.contains("open the bus anew") == true)
    #expect(throws: BusError.self) { try join("a", 0) }
    #expect(try new.transact(.blocking) { $0.state.generation } == "b")
  }

  /// With no message left in the files only retention's own notes tell.
  @Test func whoLostEverythingIsNamed() throws {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    let behind = try bus.subscribe(durable: "behind", to: "t")
    let ahead = try bus.subscribe(durable: "ahead", to: "t")
    try bus.subscribe(durable: "other", to: "u").close()
    try bus.say(0..<5)
    try behind.acknowledge(upTo: #require(behind.take(3).last))
    try ahead.acknowledge(upTo: #require(ahead.take(5).last))
    let files = try FileBus(directory: fixture.directory)
    _ = try files.compact(by: RetentionRules(standard: RetentionPolicy(count: 0)))
    files.close()
    #expect(Disk.lines(fixture.file("t")).isEmpty)
    let status = try MirroredBus.durableSubscriptions(of: fixture.directory)
    #expect(status.map(\.name) == ["ahead", "behind", "other"])
    #expect(try status.map(\.overtaken) == [[], [Topic("t")], []])
  }
}
