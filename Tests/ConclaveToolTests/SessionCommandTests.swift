import BusTesting
import ConclaveBus
import Foundation
import Testing

/// `bus archive`, and `bus clean` where a session has begun.
@Suite(.blocking) struct SessionCommandTests {
  private func run(_ directory: URL, _ arguments: String...) throws -> Outcome {
    try Tool.run(["bus"] + arguments, in: directory)
  }

  private func begin(_ name: String, in directory: URL) throws -> BusSession {
    let session = try BusSession.begin(
      at: directory.appendingPathComponent(".conclave/bus/wave-0").path,
      options: BusSessionOptions(name: SessionName(name)))
    let bus = try FileBus(directory: session.directory)
    try bus.publish(Message(type: "x", sender: "s", payload: RawJSON("1")), to: Topic("t"))
    bus.close()
    return session
  }

  @Test func whatEndedSessionsLeft() throws {
    try withDirectory { directory in
      let none = try run(directory, "archive")
      #expect(none.exit == 0 && none.output.isEmpty)
      #expect(
        none.errors == "no session has left anything in \(directory.path)/.conclave/archive\n")
      let path = try #require(try begin("run-1", in: directory).end())
      let text = try run(directory, "archive")
      let lines = text.output.split(separator: "\n")
      #expect(text.exit == 0 && text.errors.isEmpty && lines.count == 2)
      #expect(lines.last?.hasPrefix("  run-1    20") == true && lines.last?.hasSuffix(path) == true)
      let json = try run(directory, "archive", "--json")
      let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
      let sessions = try #require(object?["sessions"] as? [[String: Any]])
      #expect(sessions.map { $0["session"] as? String } == ["run-1"])
      let buses = try #require(sessions.first?["buses"] as? [[String: Any]])
      #expect(buses.map { $0["path"] as? String } == [path])
      #expect(buses.first?["process"] as? Int == Int(getpid()))
      let replay = try run(directory, "replay", "--bus-dir", path)
      #expect(replay.exit == 0 && replay.output.contains(#""payload":1"#))
    }
  }

  @Test func cleaningLeavesALiveSessionAlone() throws {
    try withDirectory { directory in
      let session = try begin("run-1", in: directory)
      let path = session.directory.path
      let refused = try run(directory, "clean", "--bus-dir", path)
      #expect(refused.exit == 5 && refused.errors.contains("session run-1 of process \(getpid())"))
      let nothing = Outcome(exit: 0, output: "nothing to remove\n", errors: "")
      #expect(try run(directory, "clean", "--purge-stale") == nothing)
      session.abandon()
      let dry = try run(directory, "clean", "--purge-stale", "--dry-run")
      #expect(dry == Outcome(exit: 0, output: "would remove \(path)\n", errors: ""))
      let real = try run(directory, "clean", "--purge-stale")
      #expect(real == Outcome(exit: 0, output: "removed \(path)\n", errors: ""))
      #expect(!FileManager.default.fileExists(atPath: path))
      #expect(try run(directory, "archive").output.isEmpty)
    }
  }
}
