import BusTesting
import Foundation
import SharedRing
import Testing

/// Somebody who may write to the segment writes there what nobody should, while every kind of user
/// of the command is there, or comes: they may lose messages, or end and say why, but none dies.
@Suite(.blocking) struct HostileSegmentTests {
  private static let visitors = [
    ["bus", "publish", "t", "-s", "s1", "-t", "x", "-p", "1"],
    [
      "bus", "publish", "t", "-s", "s1", "-t", "x", "-p", "1", "--durability", "mirrored",
      "--patience", "100ms",
    ],
    ["bus", "subscribe", "t", "--timeout", "50ms"],
    ["bus", "subscribe", "t", "--timeout", "50ms", "--from", "beginning"],
    ["bus", "subscribe", "t", "--timeout", "50ms", "--from", "beginning", "--transport", "mirror"],
    ["bus", "subscribe", "t", "--timeout", "50ms", "--durable", "d", "--transport", "mirror"],
    ["bus", "subscribe", "t", "--timeout", "50ms", "--read-only"],
    ["bus", "status", "--interval", "0"],
    ["bus", "status", "--interval", "0", "--json"],
    ["bus", "replay", "t"],
    ["doctor"],
  ]

  @Test(arguments: 0..<16) func nobodyDies(_ round: Int) throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    try withDirectory { directory in
      let world = try HostileWorld(directory, seed: seed)
      for visitor in Self.visitors.shuffled(using: &world.random) {
        let changes = world.change()
        let exit = try Tool.run(visitor, in: directory).exit
        #expect(exit >= 0, "\(visitor), \(changes), seed \(seed)")
        world.putBack()
      }
      for resident in world.residents {
        resident.send(SIGTERM)
        let outcome = try resident.finish()
        #expect(outcome.exit >= 0 || outcome.exit == -SIGTERM, "\(outcome), seed \(seed)")
      }
    }
  }
}

/// A bus with a mirror and a subscriber that publishers wait for, and its memory.
private final class HostileWorld {
  var random: SplitMix64
  let residents: [Tool]
  private let segment: RawSegment
  private var words: [Int] = []
  private var before: [(offset: Int, value: UInt64)] = []

  init(_ directory: URL, seed: UInt64) throws {
    random = SplitMix64(seed: seed)
    residents = [
      try Tool.mirror(in: directory),
      try Tool(["bus", "subscribe", "t", "--policy", "back-pressure"], in: directory),
    ]
    for number in 0..<3 {
      #expect(try publish(directory, ["-p", "\(number)", "--durability", "mirrored"]).exit == 0)
    }
    let status = try Tool.run(["bus", "status", "--json", "--interval", "0"], in: directory)
    let path = try #require(status.output.firstMatch(of: /"path":"(\/dev\/shm\/[^"]*)"/)).1
    segment = try RawSegment(path: String(path), RingGeometry())
    words = listWords()
  }

  /// Those that somebody may read: of what there are many, a few.
  private func listWords() -> [Int] {
    func words(_ count: Int, from offset: Int) -> [Int] { (0..<count).map { offset + 8 * $0 } }
    var words = words(64, from: segment.board) + words(40, from: segment.slots)
    words += [Int](repeating: segment.tail, count: 20)
    for index in 0..<4 {
      words += (0..<8).map { segment.presences + index * 256 + 8 * $0 }
      words += (0..<24).map { segment.rows + index * 4096 + 8 * $0 }
      words += (0..<32).map { segment.laneHeaders + index * 8192 + 8 * $0 }
      words += (0..<32).map { segment.lanes + index * segment.geometry.laneBytes + 8 * $0 }
    }
    return words
  }

  /// One to three words become what they should not be.
  ///
  /// - Returns: which, and what.
  func change() -> [(offset: Int, value: UInt64)] {
    before = []
    var made: [(offset: Int, value: UInt64)] = []
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let offset = words.randomElement(using: &random) ?? segment.tail
      let value = segment[offset]
      before.append((offset, value))
      segment[offset] = hostile(value)
      made.append((offset, segment[offset]))
    }
    return made
  }

  func putBack() {
    for change in before.reversed() { segment[change.offset] = change.value }
  }

  private func hostile(_ value: UInt64) -> UInt64 {
    let any = random.next()
    let values: [UInt64] = [
      0, 1, .max, .max - 1, 1 << 31, 1 << 32, 1 << 63, (1 << 63) - 1, value &+ 1, value &- 1,
      value &+ 65_536, value ^ 1 << (any % 64), .max - any % 5000, any % 5000, any,
    ]
    return values[Int(random.next() % UInt64(values.count))]
  }
}
