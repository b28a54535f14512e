import BusTesting
import Foundation
import Testing

/// A segment whose header is good and whose body is not: who reads says so, as who publishes does.
@Suite(.blocking) struct DamagedSegmentTests {
  /// Behind the header: board, order ring, rows, and lane headers of the default geometry.
  private static let body = 4096..<1_900_000
  private static let orderRing = 45_056..<569_344

  /// A bus on which something was published by somebody who is gone, and `part` of its segment
  /// overwritten.
  private func withDamage(
    _ part: Range<Int>, _ bytes: (Int) -> Data, _ check: (URL) throws -> Void
  ) throws {
    try withDirectory { directory in
      #expect(try publish(directory).exit == 0)
      let dry = try Tool.run(["bus", "clean", "--dry-run"], in: directory).output
      let path = try #require(dry.wholeMatch(of: #/would remove (.*)\n/#)).1
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: String(path)))
      try file.seek(toOffset: UInt64(part.lowerBound))
      try file.write(contentsOf: bytes(part.count))
      try file.close()
      try check(directory)
    }
  }

  private func publish(_ directory: URL) throws -> Outcome {
    try Tool.run(
      ["bus", "publish", "t", "-s", "s", "-t", "x", "--lines"], in: directory,
      input: String(repeating: "1\n", count: 100))
  }

  private func noise(_ count: Int) -> Data {
    var random = SplitMix64(seed: 7)
    return Data((0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) })
  }

  private func status(_ directory: URL) throws -> [String: Any] {
    let text = try Tool.run(["bus", "status", "--interval", "0"], in: directory)
    #expect(text.exit == 6 && text.output.contains("\ndamage       "))
    // Nothing that a terminal would obey.
    #expect(text.output.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x0A })
    let json = try Tool.run(["bus", "status", "--interval", "0", "--json"], in: directory)
    #expect(json.exit == 6)
    let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8))
    let segment = try #require((object as? [String: Any])?["sharedMemory"] as? [String: Any])
    return try #require(segment["damage"] as? [String: Any])
  }

  @Test(arguments: [[], ["--from", "beginning"], ["--policy", "back-pressure"]])
  func noiseEverywhere(_ options: [String]) throws {
    try withDamage(Self.body, noise) { directory in
      let reader = try Tool.run(
        ["bus", "subscribe", "--timeout", "20s"] + options, in: directory)
      #expect(reader.exit == 6 && reader.output.isEmpty)
      #expect(reader.errors.contains("conclave: warning: the shared memory is damaged: "))
      #expect(reader.errors.contains(" holds what no participant wrote; "))
      #expect(try publish(directory).exit == 6)
      let damage = try status(directory)
      #expect(damage["blocked"] as? Bool == true)
      #expect(damage["slots"] as? Int ?? 0 > 60_000)
      #expect((damage["lanes"] as? [Int])?.count ?? 0 > 100)
      #expect(try Tool.run(["bus", "clean"], in: directory).exit == 0)
      #expect(try publish(directory) == Outcome(exit: 0, output: "", errors: ""))
    }
  }

  @Test func noiseInTheOrderRing() throws {
    try withDamage(Self.orderRing, noise) { directory in
      let reader = try Tool.run(
        ["bus", "subscribe", "--timeout", "20s", "--json"], in: directory)
      #expect(reader.exit == 6)
      #expect(reader.errors.hasPrefix(#"{"warning":{"kind":"damagedSegment","message":"#))
      #expect(reader.errors.contains(#"{"error":{"code":"corrupt","#))
      #expect(try publish(directory).exit == 6)
      #expect(try status(directory)["lanes"] as? [Int] == [])
    }
  }

  /// To the order ring this looks like one that has gone round 2^28 times, and a publisher clears
  /// the lane that it takes over. So a reader may go on: it warns, and waits.
  @Test func onesEverywhere() throws {
    try withDamage(Self.body, { Data(repeating: 0xFF, count: $0) }) { directory in
      let reader = try Tool.run(["bus", "subscribe", "--timeout", "50ms"], in: directory)
      #expect(reader.exit == 4)
      #expect(reader.errors.contains("conclave: warning: the shared memory is damaged: "))
      #expect((try status(directory)["lanes"] as? [Int])?.count == 128)
    }
  }

  @Test func aSoundSegmentHasNoDamage() throws {
    try withDamage(0..<0, { _ in Data() }) { directory in
      let text = try Tool.run(["bus", "status", "--interval", "0"], in: directory)
      #expect(text.exit == 0 && !text.output.contains("damage"))
      let json = try Tool.run(["bus", "status", "--interval", "0", "--json"], in: directory)
      #expect(json.output.contains(#""damage":{"slots":0,"lanes":[],"blocked":false}"#))
      #expect(try publish(directory) == Outcome(exit: 0, output: "", errors: ""))
    }
  }

  /// Of another layout, and no segment at all.
  @Test(arguments: [8..<12, 0..<8])
  func aReplacedSegmentIsSaid(_ part: Range<Int>) throws {
    let reason = part.lowerBound == 0 ? "is not a segment of a bus" : "has another layout version"
    for arguments in [["publish", "t", "-s", "s", "-t", "x", "-p", "1"], ["subscribe"]] {
      try withDamage(part, { Data(repeating: 0x63, count: $0) }) { directory in
        let command = ["bus"] + arguments + (arguments.count == 1 ? ["--timeout", "10ms"] : [])
        let first = try Tool.run(command, in: directory)
        #expect(first.exit == (arguments.count == 1 ? 4 : 0))
        let warning = #/conclave: warning: replaced the segment \/dev\/shm\/[^ ]*, which (.*)\n/#
        let said = try #require(first.errors.prefixMatch(of: warning))
        #expect(said.1 == reason + " and was in nobody's use")
        #expect(try publish(directory) == Outcome(exit: 0, output: "", errors: ""))
        #expect(try Tool.run(command, in: directory).errors.contains("replaced") == false)
      }
    }
  }
}
