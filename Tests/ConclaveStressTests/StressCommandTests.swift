import BusTesting
import ConclaveBus
import Foundation
import Testing

/// The built command, with real processes.
@Suite(.blocking, .serialized) struct StressCommandTests {
  private func object(_ outcome: StressTool.Outcome) throws -> [String: Any] {
    try #require(
      JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any],
      "\(outcome.output)\(outcome.errors)")
  }

  private func run(_ arguments: String...) throws -> [String: Any] {
    let outcome = try StressTool.run(arguments + ["--json"])
    #expect(outcome.exit == 0, "\(outcome.output)\(outcome.errors)")
    #expect(outcome.errors == "")
    return try object(outcome)
  }

  private func expectClean(_ object: [String: Any]) {
    for key in ["duplicates", "outOfOrder", "corrupt", "gapMismatches"] {
      #expect(object[key] as? Int == 0, "\(key)")
    }
  }

  @Test(arguments: ["shm", "file", "channel"])
  func everythingArrives(_ transport: String) throws {
    let object = try run(
      "--transport", transport, "--publishers", "5", "--subscribers", "3", "--messages", "4003")
    #expect(object["delivered"] as? [Int] == [4003, 4003, 4003])
    #expect(object["lost"] as? [Int] == [0, 0, 0])
    #expect(object["gapsReported"] as? [Int] == [0, 0, 0])
    expectClean(object)
    #expect(
      Set(object.keys) == [
        "transport", "publishers", "subscribers", "messages", "payloadBytes", "policy", "batch",
        "seconds", "messagesPerSecond", "delivered", "lost", "gapsReported", "gapMismatches",
        "duplicates", "outOfOrder", "corrupt", "cpuSeconds", "longestPublisherStallMilliseconds",
        "backPressureWaits",
      ])
    #expect(object["transport"] as? String == transport)
    #expect(object["publishers"] as? Int == 5 && object["messages"] as? Int == 4003)
    #expect(object["policy"] as? String == "back-pressure")
    let seconds = try #require(object["seconds"] as? Double)
    let rate = try #require(object["messagesPerSecond"] as? Double)
    #expect(seconds > 0 && abs(rate * seconds / 4003 - 1) < 0.01)
    #expect(try #require(object["cpuSeconds"] as? Double) > 0)
  }

  @Test(arguments: ["shm", "file", "channel"])
  func everyLossIsReported(_ transport: String) throws {
    let object = try run(
      "--transport", transport, "--publishers", "4", "--subscribers", "2", "--messages", "20000",
      "--policy", "dropping")
    let delivered = try #require(object["delivered"] as? [Int])
    let lost = try #require(object["lost"] as? [Int])
    #expect(zip(delivered, lost).map { $0 + $1 } == [20000, 20000])
    #expect(object["gapsReported"] as? [Int] == lost)
    expectClean(object)
  }

  @Test(arguments: ["shm", "file", "channel"])
  func batchesAndOddSizes(_ transport: String) throws {
    let object = try run(
      "--transport", transport, "--publishers", "3", "--subscribers", "2", "--messages", "1000",
      "--batch", "64", "--payload", "1001")
    #expect(object["delivered"] as? [Int] == [1000, 1000])
    expectClean(object)
  }

  @Test(arguments: ["shm", "file", "channel"])
  func latencies(_ transport: String) throws {
    let object = try run(
      "--transport", transport, "--publishers", "2", "--subscribers", "2", "--messages", "1000",
      "--rate", "5000")
    #expect(object["rate"] as? Int == 5000)
    #expect(try #require(object["seconds"] as? Double) >= 0.19)
    let latency = try #require(object["latencyMicroseconds"] as? [String: Double])
    let values = ["p50", "p99", "p999", "max"].compactMap { latency[$0] }
    #expect(values.count == 4 && latency.count == 4)
    #expect(values == values.sorted() && values[0] > 0)
  }

  @Test func withoutSubscribers() throws {
    let object = try run("--publishers", "2", "--subscribers", "0", "--messages", "1000")
    #expect(object["delivered"] as? [Int] == [])
    #expect(try #require(object["seconds"] as? Double) > 0)
    let table = try StressTool.run([
      "--publishers", "2", "--subscribers", "0", "--messages", "1000",
    ]).output
    #expect(table.contains("all were published; nobody received, to check them\n"))
    #expect(!table.contains("lost"))
  }

  /// Threads must not sleep through the end of a run that is stopped.
  @Test func slowRatesStopAtOnce() throws {
    let tool = try StressTool([
      "--transport", "channel", "--publishers", "50", "--subscribers", "1", "--messages", "100",
      "--rate", "1",
    ])
    tool.waitForThreads(51)
    let start = ContinuousClock.now
    tool.send(SIGINT)
    #expect(try tool.finish().exit == 130)
    // Were they to sleep until their message is due, it would be 50 s.
    #expect(start.duration(to: .now) < .seconds(20))
  }

  @Test func allTransportsAreAnArray() throws {
    let outcome = try StressTool.run([
      "--transport", "all", "--publishers", "2", "--subscribers", "1", "--messages", "100",
      "--json",
    ])
    #expect(outcome.exit == 0)
    let array =
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]]
    #expect(array?.map { $0["transport"] as? String } == ["shm", "file", "channel"])
  }

  @Test func table() throws {
    let outcome = try StressTool.run([
      "--publishers", "2", "--subscribers", "2", "--messages", "1000",
    ])
    #expect(outcome.exit == 0)
    #expect(outcome.output.contains("nothing lost, duplicated, out of order or corrupt"))
    #expect(outcome.output.contains("1,000 of 256 bytes"))
    #expect(outcome.errors == "")
  }

  @Test(arguments: [
    (["--publishers", "0"], "option --publishers is 0; write 1 to 120"),
    (["--payload", "50"], "option --payload is 50; write 104 to 16773120"),
    (["--messages", "10"], "option --messages is 10; write 50 to 4294967295"),
    (
      ["--transport", "carrier"],
      "option --transport is \"carrier\"; write shm or file or channel or all"
    ),
    (["--policy", "none"], "option --policy is \"none\"; write back-pressure or dropping"),
    (["--rate", "fast"], "option --rate is \"fast\"; write a whole number"),
  ])
  func mistakes(_ arguments: [String], _ message: String) throws {
    let outcome = try StressTool.run(arguments)
    #expect(outcome.exit == 2)
    #expect(outcome.errors == "conclave: \(message)\n")
  }

  // MARK: Nobody is left behind

  /// A run that lasts until somebody stops it.
  private func endless(_ transport: String) throws -> StressTool {
    let tool = try StressTool([
      "--transport", transport, "--publishers", "3", "--subscribers", "2", "--messages", "1000000",
      "--rate", "1000",
    ])
    if transport != "channel" {
      tool.waitForWorkers { $0 == 5 }
    }
    tool.waitForThreads(transport == "channel" ? 6 : 1)
    return tool
  }

  @Test(arguments: [
    ("shm", SIGINT, 130), ("shm", SIGTERM, 143), ("file", SIGINT, 130), ("channel", SIGINT, 130),
  ])
  func signals(_ transport: String, _ signal: Int32, _ exit: Int32) throws {
    let tool = try endless(transport)
    tool.send(signal)
    #expect(try tool.finish().exit == exit)
    #expect(tool.workers == [])
    #expect(tool.leftovers == [])
  }

  @Test(arguments: ["shm", "file"])
  func workersEndWithTheirCoordinator(_ transport: String) throws {
    let tool = try endless(transport)
    tool.send(SIGKILL)
    #expect(try tool.finish().exit == -SIGKILL)
    tool.waitForWorkers { $0 == 0 }
  }

  /// A publisher that waits for a subscriber for ever hears of the end all the same.
  @Test func workersEndEvenInAPublishThatWaits() throws {
    let tool = try StressTool([
      "--publishers", "2", "--subscribers", "1", "--messages", "1000000000",
    ])
    tool.waitForWorkers { $0 == 3 }
    usleep(200_000)
    // Subscribers are started first.
    if let subscriber = tool.workers.min() { kill(subscriber, SIGSTOP) }
    usleep(300_000)
    tool.send(SIGKILL)
    _ = try tool.finish()
    tool.waitForWorkers { $0 <= 1 }
    for worker in tool.workers { kill(worker, SIGCONT) }
    tool.waitForWorkers { $0 == 0 }
  }

  @Test func aWorkerThatDiesIsAnError() throws {
    let tool = try endless("shm")
    if let publisher = tool.workers.max() { kill(publisher, SIGKILL) }
    let outcome = try tool.finish()
    #expect(outcome.exit == 70)
    #expect(outcome.errors.contains("publisher 2 was killed by signal 9 before it was done"))
    #expect(tool.workers == [])
    #expect(tool.leftovers == [])
  }

  /// The path of the segment of the one bus in a run's directory.
  private func segment(of tool: StressTool) throws -> String {
    let name = try #require(tool.leftovers.first { $0.hasPrefix("conclave-stress-") })
    let path = tool.directory.appendingPathComponent(name).path
    return try SharedMemoryBus.segmentPath(of: BusDirectory(opening: path, create: false))
  }

  /// Ends at once.
  private func shortRun(beside other: StressTool) throws -> StressTool.Outcome {
    try StressTool(
      ["--publishers", "1", "--subscribers", "1", "--messages", "10"], in: other.directory
    ).finish()
  }

  @Test(arguments: ["shm", "file"])
  func theNextRunSweepsWhatAKilledOneLeft(_ transport: String) throws {
    let tool = try endless(transport)
    let segment = try segment(of: tool)
    tool.send(SIGKILL)
    _ = try tool.finish()
    tool.waitForWorkers { $0 == 0 }
    #expect(tool.leftovers.count == 1)
    #expect(FileManager.default.fileExists(atPath: segment) == (transport == "shm"))
    try sweep(beside: tool, leaving: [])
    #expect(!FileManager.default.fileExists(atPath: segment))
  }

  /// Runs until only `names` are left: a worker that is just going may be taken for alive.
  private func sweep(beside tool: StressTool, leaving names: [String]) throws {
    for _ in 0..<50 where tool.leftovers != names {
      #expect(try shortRun(beside: tool).exit == 0)
    }
    #expect(tool.leftovers == names)
  }

  /// A run that lives, one whose coordinator alone is dead, and what only looks like a leftover.
  @Test func whoLivesIsNotSwept() throws {
    let tool = try endless("shm")
    let segment = try segment(of: tool)
    let strange = tool.directory.appendingPathComponent("conclave-stress-abcdef")
    try FileManager.default.createDirectory(
      at: strange, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    for name in ["own.jsonl", "notes.txt"] {
      try Data("mine".utf8).write(to: strange.appendingPathComponent(name))
    }
    #expect(try shortRun(beside: tool).exit == 0)
    #expect(tool.leftovers.count == 2 && FileManager.default.fileExists(atPath: segment))

    // Stands for a worker that has not noticed yet that it is alone.
    let name = try #require(tool.leftovers.first { $0 != "conclave-stress-abcdef" })
    let path = tool.directory.appendingPathComponent(name).path
    let bus = try SharedMemoryBus(directory: BusDirectory(opening: path, create: false))
    let subscription = try bus.subscribe()
    tool.send(SIGKILL)
    _ = try tool.finish()
    tool.waitForWorkers { $0 == 0 }
    for _ in 0..<5 { #expect(try shortRun(beside: tool).exit == 0) }
    #expect(tool.leftovers.count == 2 && FileManager.default.fileExists(atPath: segment))

    subscription.cancel()
    try sweep(beside: tool, leaving: ["conclave-stress-abcdef"])
    #expect(!FileManager.default.fileExists(atPath: segment))
    #expect(try FileManager.default.contentsOfDirectory(atPath: strange.path).count == 2)
  }
}
