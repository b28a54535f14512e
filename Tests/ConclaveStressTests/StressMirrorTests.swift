import BusTesting
import Foundation
import Testing

/// `bus stress --mirror`: everything is in the topic files, too.
@Suite(.blocking, .serialized) struct StressMirrorTests {
  private func mirror(_ outcome: StressTool.Outcome) throws -> [String: Any] {
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any],
      "\(outcome.output)\(outcome.errors)")
    #expect(outcome.exit == 0, "\(outcome.output)")
    return try #require(object["mirror"] as? [String: Any])
  }

  private func expectWhole(_ mirror: [String: Any], _ count: Int) {
    #expect(mirror["delivered"] as? Int == count)
    for key in ["missing", "duplicates", "outOfOrder", "corrupt"] {
      #expect(mirror[key] as? Int == 0, "\(key)")
    }
  }

  @Test(arguments: [("mirrored", 20000), ("synced", 600)])
  func theFilesHaveEverything(_ durability: String, _ count: Int) throws {
    let tool = try StressTool([
      "--mirror", durability, "--publishers", "4", "--subscribers", "2", "--messages", "\(count)",
      "--json",
    ])
    let mirror = try mirror(tool.finish())
    #expect(
      Set(mirror.keys) == [
        "durability", "seconds", "messagesPerSecond", "lag", "delivered", "missing", "duplicates",
        "outOfOrder", "corrupt",
      ])
    #expect(mirror["durability"] as? String == durability)
    expectWhole(mirror, count)
    let seconds = try #require(mirror["seconds"] as? Double)
    let rate = try #require(mirror["messagesPerSecond"] as? Double)
    #expect(seconds > 0 && abs(rate * seconds / Double(count) - 1) < 0.01)
    #expect(tool.workers == [] && tool.leftovers == [])
  }

  @Test func batchesWithoutSubscribers() throws {
    let arguments = [
      "--mirror", "mirrored", "--publishers", "3", "--subscribers", "0", "--messages", "3000",
      "--batch", "50",
    ]
    expectWhole(try mirror(StressTool.run(arguments + ["--json"])), 3000)
    let table = try StressTool.run(arguments).output
    #expect(table.contains(" messages/s to the files; "))
    #expect(table.contains("the files have everything, once and in order\n"))
  }

  /// What an earlier run left in the same files does not count.
  @Test func aBusThatIsKept() throws {
    let place = FileManager.default.temporaryDirectory
      .appendingPathComponent("conclave-stress-kept-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: place) }
    for _ in 0..<2 {
      let outcome = try StressTool.run([
        "--mirror", "mirrored", "--publishers", "2", "--subscribers", "1", "--messages", "1000",
        "--bus-dir", place.path, "--json",
      ])
      expectWhole(try mirror(outcome), 1000)
    }
    let clean = Process()
    clean.executableURL = URL(fileURLWithPath: StressTool.path)
    clean.arguments = ["bus", "clean", "--yes", "--bus-dir", place.path]
    clean.standardOutput = FileHandle.nullDevice
    try clean.run()
    clean.waitUntilExit()
    #expect(clean.terminationStatus == 0)
  }

  /// The publishers are candidates: one of them goes on.
  @Test(arguments: ["mirrored", "synced"])
  func aMirrorThatDiesDoesNoHarm(_ durability: String) throws {
    let tool = try StressTool([
      "--mirror", durability, "--publishers", "3", "--subscribers", "2", "--messages", "2000",
      "--rate", "1000", "--json",
    ])
    tool.waitForWorkers { $0 == 6 }
    usleep(500_000)
    // It is started first.
    if let mirror = tool.workers.min() { kill(mirror, SIGKILL) }
    let mirror = try mirror(tool.finish())
    expectWhole(mirror, 2000)
    #expect(mirror["seconds"] is NSNull && mirror["lag"] is NSNull)
    #expect(tool.workers == [] && tool.leftovers == [])
  }

  /// One that was killed leaves nothing that the next run does not remove.
  @Test func theNextRunSweeps() throws {
    let tool = try StressTool([
      "--mirror", "mirrored", "--publishers", "2", "--subscribers", "1", "--messages", "1000000",
      "--rate", "1000",
    ])
    tool.waitForWorkers { $0 == 4 }
    usleep(200_000)
    tool.send(SIGKILL)
    _ = try tool.finish()
    tool.waitForWorkers { $0 == 0 }
    #expect(tool.leftovers.count == 1)
    let short = ["--publishers", "1", "--subscribers", "1", "--messages", "10"]
    for _ in 0..<50 where !tool.leftovers.isEmpty {
      #expect(try StressTool(short, in: tool.directory).finish().exit == 0)
    }
    #expect(tool.leftovers == [])
  }

  @Test(arguments: [
    (["--transport", "file", "--mirror", "mirrored"], "only shared memory can be mirrored; use "),
    (
      ["--mirror", "sometimes"],
      "option --mirror is \"sometimes\"; write none or mirrored or synced"
    ),
  ])
  func mistakes(_ arguments: [String], _ message: String) throws {
    let outcome = try StressTool.run(arguments)
    #expect(outcome.exit == 2)
    #expect(outcome.errors.hasPrefix("conclave: \(message)"))
  }
}
