import BusTesting
import Glibc
import Testing

@testable import ConclaveBus

/// Journals of which something is gone, though what is left is in order.
@Suite(.blocking) struct DurableDamageTests {
  enum Damage: CaseIterable {
    case threeLines, inALine, lastLine, overwritten, replaced, junk, nothing

    /// What is left of a journal.
    func apply(_ bytes: [UInt8]) -> [UInt8] {
      let lines = bytes.split(separator: 0x0A).map { Array($0) + [0x0A] }
      switch self {
      case .threeLines, .replaced: return Array(lines.prefix(3).joined())
      case .inALine: return Array(lines.prefix(3).joined()) + lines[3].prefix(20)
      case .lastLine: return Array(lines.dropLast().joined())
      case .overwritten:
        let kept = Array(lines.prefix(4).joined())
        return kept + [UInt8](repeating: UInt8(ascii: "X"), count: bytes.count - kept.count)
      case .junk: return bytes + [UInt8](repeating: UInt8(ascii: "X"), count: 5000)
      case .nothing: return bytes
      }
    }
  }

  private func world() throws -> (MirroredFixture, MirroredBus, String) {
    let fixture = try MirroredFixture()
    let bus = try fixture.bus()
    try bus.say(0..<20)
    for _ in 0..<4 {
      let member = try bus.subscribe(durable: "n", options: DurableOptions(start: .beginning))
      try member.acknowledge(upTo: #require(member.take(5).last))
      member.close()
    }
    return (fixture, bus, "\(fixture.directory.path)/.durable/n")
  }

  @Test(arguments: Damage.allCases)
  func isReportedAndKept(_ damage: Damage) throws {
    let (fixture, bus, path) = try world()
    let bytes = damage.apply(Disk.read("\(path).journal"))
    if damage == .replaced { unsafe unlink("\(path).journal") }
    Disk.write("\(path).journal", bytes)
    let status = try MirroredBus.durableSubscriptions(of: fixture.directory)
    #expect(status.map { $0.failure?.code } == [damage == .nothing ? nil : .corrupt])
    guard damage != .nothing else {
      #expect(status.first?.position == 20)
      return
    }
    let error = #expect(throws: BusError.self) { try bus.subscribe(durable: "n") }
    #expect(error?.code == .corrupt)
    #expect(Disk.read("\(path).journal") == bytes)
    #expect(unsafe unlink("\(path).journal") == 0)
    let fresh = try bus.subscribe(durable: "n", options: DurableOptions(start: .beginning))
    #expect(try fresh.take(20).count == 20)
  }

  /// Whoever says that it is right so by removing the other witness goes on with what there is.
  @Test func isUsedWhenThatIsWanted() throws {
    let (fixture, bus, path) = try world()
    defer { withExtendedLifetime(fixture) {} }
    Disk.write("\(path).journal", Damage.threeLines.apply(Disk.read("\(path).journal")))
    let error = #expect(throws: BusError.self) { try bus.subscribe(durable: "n") }
    #expect(error?.hint.contains(".durable/n.lock") == true)
    #expect(unsafe unlink("\(path).lock") == 0)
    #expect(try bus.subscribe(durable: "n").take(20).count == 20)
  }
}
