import BusTesting
import ConclaveBus
import Foundation
import Testing

/// Processes that do not agree on what time it is, or who they are: containers on one host.
@Suite(.blocking, .enabled("needs name spaces") { Unshared.works })
struct NamespaceTests {
  private static let clocks = "--time --monotonic 100000 --boottime 100000"
  private static let pids = "--pid"

  /// A key is remembered for ten minutes, by whatever clock the next one goes.
  @Test(arguments: [["", clocks], [clocks, ""], [clocks, clocks]])
  func keysLastAsLongAsElsewhere(_ order: [String]) throws {
    try withDirectory { directory in
      for clocks in order {
        let outcome = try Unshared.run(
          clocks, "bus publish t -s s -t x --transport file --payload 1 --idempotency-key k",
          in: directory)
        #expect(outcome.exit == 0, "\(outcome.errors)")
      }
      #expect(try mirrored(directory, "t").count == 1)
    }
  }

  /// The room of a mirror that is gone is kept for the next one, whoever waits for it: who comes
  /// second finds that somebody with another clock has waited before.
  @Test(arguments: [["", clocks], [clocks, ""]])
  func aPlaceIsKeptAsLongAsElsewhere(_ order: [String]) throws {
    try withDirectory { directory in
      let bus = try BusDirectory(
        opening: directory.appendingPathComponent(".conclave/bus").path)
      var options = MirrorOptions()
      options.successionPatience = .seconds(3600)
      options.handOverPatience = .seconds(3600)
      let gone = try MirroredBus(directory: bus, options: options)
      try gone.publish(
        Message(type: "x", sender: "first", payload: RawJSON("0")), to: Topic("t"),
        durability: .mirrored)
      gone.close()
      let count = 120
      let payload = "[" + String(repeating: "1234567,", count: 5_000) + "2]\n"
      let input = directory.appendingPathComponent("lines")
      try Data(String(repeating: payload, count: count).utf8).write(to: input)
      let publishers = try order.enumerated().map { number, clocks in
        let publisher = try Unshared.start(
          clocks, "bus publish t -s s\(number) -t x --lines --transport shm <lines",
          in: directory)
        // Long enough to have met the place that is kept.
        usleep(1_500_000)
        return publisher
      }
      #expect(publishers.allSatisfy { $0.isRunning }, "somebody did not wait")
      let next = try MirroredBus(directory: bus, options: options)
      for publisher in publishers {
        publisher.waitUntilExit()
        #expect(publisher.terminationStatus == 0)
      }
      try eventually { try mirrored(directory, "t").count == 1 + order.count * count }
      next.close()
    }
  }

  /// In each container the first process has the number 1.
  @Test func whoHaveOneNumberAreToldApart() throws {
    try withDirectory { directory in
      let count = 200
      let input = directory.appendingPathComponent("lines")
      try Data((0..<count).map { "\($0)\n" }.joined().utf8).write(to: input)
      let reader = try Tool(
        ["bus", "subscribe", "t", "--count", "\(6 * count)", "--strict", "--transport", "shm"],
        in: directory)
      try eventually {
        let status = try Tool.run(["bus", "status", "--json"], in: directory)
        return status.output.contains("\"subscribers\":[{")
      }
      // Three at the same time, and then three one after the other.
      let line = "bus publish t -s s -t x --lines --transport shm <lines"
      let together = try (0..<3).map { _ in
        try Unshared.start(NamespaceTests.pids, line, in: directory)
      }
      for publisher in together { publisher.waitUntilExit() }
      for _ in 0..<3 {
        let outcome = try Unshared.run(NamespaceTests.pids, line, in: directory)
        #expect(outcome.exit == 0, "\(outcome.errors)")
      }
      #expect(together.allSatisfy { $0.terminationStatus == 0 })
      let outcome = try reader.finish()
      #expect(outcome.exit == 0, "\(outcome.errors)")
      let ids = outcome.output.matches(of: /"id":"(\d+)-(\d+)"/)
      #expect(ids.count == 6 * count && ids.allSatisfy { $0.1 == "1" })
      #expect(Set(ids.map { String($0.2) }).count == 6 * count)
      let lives = Dictionary(
        grouping: outcome.output.matches(of: /"seq":(\d+).*?"payload":(\d+),"incarnation":(\d+)/)
      ) { String($0.3) }
      #expect(lives.count == 6)
      for life in lives.values {
        #expect(life.map { Int($0.1) } == (1...count).map { $0 })
        #expect(life.map { Int($0.2) } == (0..<count).map { $0 })
      }
    }
  }

  /// Nobody is told to end, or to wake, a process that only has the same number.
  @Test func whoIsToBeEndedIsNamedAsHere() throws {
    try withDirectory { directory in
      let reader = try Unshared.start(
        NamespaceTests.pids, "bus subscribe t --transport shm >/dev/null", in: directory)
      defer {
        // It takes no notice of SIGTERM itself.
        kill(reader.processIdentifier, SIGKILL)
        reader.waitUntilExit()
      }
      try eventually {
        let status = try Tool.run(["bus", "status", "--json"], in: directory)
        return status.output.contains("\"subscribers\":[{")
      }
      let refused = try Tool.run(["bus", "clean"], in: directory)
      #expect(refused.exit != 0)
      let named = try #require(
        refused.errors.firstMatch(of: /process (\d+) \(1 in its container\)/), "\(refused.errors)")
      let process = try #require(Int32(named.1))
      let parent = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
      #expect(parent.contains("PPid:\t\(reader.processIdentifier)\n"))

      let outside = try Unshared.run("--pid --mount-proc", "bus clean", in: directory)
      #expect(outside.exit != 0)
      #expect(outside.errors.contains("process 1 of another pid name space"), "\(outside.errors)")

      kill(process, SIGSTOP)
      let doctor = try Tool.run(["doctor"], in: directory)
      #expect(
        doctor.output.contains("\(process), which subscribes, is stopped"), "\(doctor.output)")
      kill(process, SIGCONT)
    }
  }
}

/// The command in name spaces of its own.
private enum Unshared {
  /// Whether this user may make them.
  static let works: Bool = {
    let line = "unshare --time --monotonic 5 --boottime 5 --fork true && unshare --pid --fork true"
    let outcome = try? Tool.shell(line, in: FileManager.default.temporaryDirectory)
    return outcome?.exit == 0
  }()

  /// - Parameters:
  ///   - spaces: options of `unshare`, or empty for none.
  ///   - words: of the command, as a shell reads them.
  static func run(_ spaces: String, _ words: String, in directory: URL) throws -> Outcome {
    try Tool.shell(line(spaces, words), in: directory)
  }

  static func start(_ spaces: String, _ words: String, in directory: URL) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", line(spaces, words)]
    process.currentDirectoryURL = directory
    process.environment = ["PATH": "/usr/local/bin:/usr/bin:/bin"]
    try process.run()
    return process
  }

  private static func line(_ spaces: String, _ words: String) -> String {
    let unshare = spaces.isEmpty ? "" : "unshare \(spaces) --fork --kill-child"
    return "exec \(unshare) '\(Tool.path)' \(words)"
  }
}
