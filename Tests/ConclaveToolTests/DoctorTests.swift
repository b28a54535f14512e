import BusTesting
import ConclaveBus
import Foundation
import Testing

/// `doctor`. Other tests leave and use segments on the same host, so that only what concerns the
/// test's own directory is looked at; one at a time, since `--fix` is for all of the host.
@Suite(.blocking, .serialized) struct DoctorTests {
  struct Finding: Decodable, Equatable {
    var severity: String
    var subject: String
    var message: String
    var hint: String
    var fixable: Bool
    var fixed: String?
    var processes: [Int32]?
  }

  struct Report: Decodable {
    var errors: Int
    var warnings: Int
    var findings: [Finding]

    func naming(_ text: String) -> [Finding] { findings.filter { $0.message.contains(text) } }
    func names(_ text: String) -> Bool { !naming(text).isEmpty }
    func about(_ subject: String) -> [Finding] { findings.filter { $0.subject == subject } }
  }

  private func doctor(_ directory: URL, _ arguments: String...) throws -> (Report, exit: Int32) {
    let outcome = try Tool.run(["doctor", "--json"] + arguments, in: directory)
    #expect(outcome.errors.isEmpty)
    return (
      try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8)), outcome.exit
    )
  }

  @Test func aSoundBus() throws {
    try withDirectory { directory in
      let (before, _) = try doctor(directory)
      #expect(before.findings.first { $0.subject == "the bus" }?.severity == "note")
      #expect(before.findings.first { $0.subject == "a message" }?.severity == "ok")
      #expect(!FileManager.default.fileExists(atPath: "\(directory.path)/.conclave"))
      _ = try Tool.run(
        ["bus", "publish", "a", "--sender", "s", "--type", "t", "--transport", "mirror"],
        in: directory, input: "1")
      let (after, _) = try doctor(directory)
      #expect(after.findings.first { $0.subject == "the bus" }?.severity == "ok")
      #expect(after.findings.first { $0.subject == "the segment" }?.severity == "ok")
      #expect(after.findings.first { $0.subject == "topic files" }?.severity == "ok")
      #expect(after.errors == 0)
    }
  }

  @Test func aSegmentWhoseBusIsGone() throws {
    try withDirectory { directory in
      let path = "\(directory.path)/bus"
      let made = try BusDirectory(opening: path)
      let bus = try MirroredBus(directory: made)
      let message = Message(type: "t", sender: "s", payload: try RawJSON("1"))
      try bus.publish(message, to: Topic("a"), durability: .mirrored)
      try FileManager.default.removeItem(atPath: path)
      // Somebody still uses it.
      #expect(try doctor(directory, "--fix").0.naming(path) == [])
      bus.close()
      let (report, exit) = try doctor(directory)
      let named = report.naming(path)
      #expect(named.map(\.severity) == ["warning"] && named.first?.fixed == nil)
      #expect(report.warnings >= 1 && exit != 0)
      let segment = SharedMemoryBus.segmentPath(of: made)
      #expect(FileManager.default.fileExists(atPath: segment))
      #expect(try doctor(directory, "--fix").0.naming(path).map(\.fixed) == ["removed \(segment)"])
      #expect(!FileManager.default.fileExists(atPath: segment))
    }
  }

  /// It may come back, as one does whose file system is mounted again.
  @Test func aBusThatIsMovedKeepsItsMessages() throws {
    try withDirectory { directory in
      let (path, other) = ("\(directory.path)/bus", "\(directory.path)/other")
      let place = ["--bus-dir", path]
      let publish = ["bus", "publish", "a", "--sender", "s", "--type", "t", "--payload", "1"]
      #expect(try Tool.run(publish + place, in: directory).exit == 0)
      try FileManager.default.moveItem(atPath: path, toPath: other)
      let named = try doctor(directory, "--fix").0.naming(path)
      #expect(named.map(\.fixable) == [false])
      #expect(named.first?.hint.contains("rm /dev/shm/conclave-") == true)
      try FileManager.default.moveItem(atPath: other, toPath: path)
      let read = try Tool.run(
        ["bus", "subscribe", "--from", "beginning", "--count", "1"] + place, in: directory)
      #expect(read.exit == 0 && read.output.contains(#""payload":1"#))
      #expect(try Tool.run(["bus", "clean", "--yes"] + place, in: directory).exit == 0)
    }
  }

  @Test(arguments: ["mirror", "back-pressure"])
  func whoIsStopped(_ role: String) throws {
    try withDirectory { directory in
      let words =
        role == "mirror"
        ? ["bus", "mirror"] : ["bus", "subscribe", "a", "--policy", "back-pressure"]
      let tool = try Tool(words, in: directory)
      try eventually {
        try doctor(directory).0.about("the segment").contains { $0.message.contains("1 sub") }
      }
      #expect(try doctor(directory).0.about("a process") == [])
      tool.send(SIGSTOP)
      try eventually { try !doctor(directory).0.about("a process").isEmpty }
      let (report, exit) = try doctor(directory)
      let found = try #require(report.about("a process").first)
      #expect(exit == 1 && found.processes == [tool.pid])
      #expect(found.message.contains("publishers wait"))
      tool.send(SIGCONT)
      tool.send(SIGINT)
      _ = try tool.finish()
    }
  }

  /// What nobody but the owner can use.
  @Test func whatLiesInABusDirectory() throws {
    try withDirectory { directory in
      let path = "\(directory.path)/.conclave/bus"
      _ = try BusDirectory(opening: path)
      #expect(unsafe mkfifo("\(path)/.mirror.lock", 0o600) == 0)
      let (report, exit) = try doctor(directory)
      #expect(report.about("a lock").map(\.severity) == ["error"] && exit == 6)
    }
    try withDirectory { directory in
      let path = "\(directory.path)/shared"
      let group = getegid()
      _ = try BusDirectory(opening: path, access: .group(group))
      let policy = URL(fileURLWithPath: "\(path)/policy.json")
      try Data(#"{"version":1,"rules":[]}"#.utf8).write(to: policy)
      for (mode, severities) in [(mode_t(0o600), ["warning", "ok"]), (0o644, ["ok"])] {
        #expect(unsafe chmod(policy.path, mode) == 0)
        let report = try doctor(
          directory, "--bus-dir", path, "--mode", "0660", "--group", "\(group)"
        ).0
        #expect(report.about("the policy").map(\.severity) == severities)
      }
      // Of a group, but of another one.
      guard geteuid() == 0 else { return }
      #expect(unsafe chown(policy.path, 0, group + 1) == 0 && chmod(policy.path, 0o640) == 0)
      let report = try doctor(
        directory, "--bus-dir", path, "--mode", "0660", "--group", "\(group)"
      ).0
      #expect(report.about("the policy").map(\.severity) == ["warning", "ok"])
    }
    // Which others may look into, but no group shares.
    try withDirectory { directory in
      let path = "\(directory.path)/own"
      _ = try BusDirectory(opening: path)
      let policy = URL(fileURLWithPath: "\(path)/policy.json")
      try Data(#"{"version":1,"rules":[]}"#.utf8).write(to: policy)
      #expect(unsafe chmod(policy.path, 0o600) == 0 && chmod(path, 0o755) == 0)
      let report = try doctor(directory, "--bus-dir", path).0
      #expect(report.about("the policy").map(\.severity) == ["ok"])
    }
  }

  /// A segment of a bus that can still be read is nobody's leftover.
  @Test func anIdleBusIsLeftAlone() throws {
    try withDirectory { directory in
      let publish = ["bus", "publish", "a", "--sender", "s", "--type", "t", "--payload", "1"]
      #expect(try Tool.run(publish, in: directory).exit == 0)
      _ = try doctor(directory, "--fix")
      let read = try Tool.run(
        ["bus", "subscribe", "--from", "beginning", "--count", "1"], in: directory)
      #expect(read.exit == 0 && read.output.contains(#""payload":1"#))
    }
  }

  @Test func whatADeadSessionLeft() throws {
    try withDirectory { directory in
      let path = "\(directory.path)/.conclave/bus/wave-0"
      let session = try BusSession.begin(at: path)
      let bus = try FileBus(directory: session.directory)
      try bus.publish(Message(type: "t", sender: "s", payload: RawJSON("1")), to: Topic("a"))
      bus.close()
      let live = try doctor(directory).0
      #expect(live.naming(path) == [])
      session.abandon()
      let (report, exit) = try doctor(directory)
      #expect(report.naming(path).map(\.severity) == ["warning"] && exit == 1)
      let fixed = try doctor(directory, "--fix").0
      #expect(fixed.naming(path).map(\.fixed) == ["archived \(path)"])
      #expect(!FileManager.default.fileExists(atPath: path))
      #expect(try Tool.run(["bus", "archive"], in: directory).output.contains("wave-0"))
    }
  }

  @Test func whatDoesNotWork() throws {
    try withDirectory { directory in
      let path = "\(directory.path)/.conclave/bus"
      _ = try BusDirectory(opening: path)
      #expect(unsafe mkfifo("\(path)/a.jsonl", 0o600) == 0)
      let (report, exit) = try doctor(directory)
      #expect(report.naming("a.jsonl").map(\.severity) == ["error"] && exit == 6)
      let text = try Tool.run(["doctor"], in: directory)
      #expect(text.exit == 6 && text.output.contains("\n1 error, "))
      // Others may write in it.
      #expect(unsafe chmod(path, 0o777) == 0)
      let open = try doctor(directory)
      #expect(open.exit == 6)
      #expect(open.0.naming("others may write").map(\.hint) == ["chmod go-w \(path)"])
    }
  }
}
