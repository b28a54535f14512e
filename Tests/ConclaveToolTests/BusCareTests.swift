import BusTesting
import Foundation
import Testing

/// `where`, `status` and `clean`.
@Suite(.blocking) struct BusCareTests {
  private func run(_ directory: URL, _ arguments: String...) throws -> Outcome {
    try Tool.run(["bus"] + arguments, in: directory)
  }

  private func publish(_ directory: URL, _ topic: String = "t") throws {
    let outcome = try run(
      directory, "publish", topic, "-s", "s", "-t", "x", "-p", "1", "--transport", "file")
    #expect(outcome == Outcome(exit: 0, output: "", errors: ""))
  }

  @Test func whereByEachRule() throws {
    try withDirectory { directory in
      let path = directory.path
      #expect(
        try run(directory, "where")
          == Outcome(
            exit: 0, output: "\(path)/.conclave/bus\n",
            errors: "in the working directory, as there is none above it and no git; not made yet\n"
          ))
      #expect(
        try run(directory, "where", "--bus-dir", "x", "--json")
          == Outcome(
            exit: 0, output: "{\"path\":\"\(path)/x\",\"rule\":\"option\",\"exists\":false}\n",
            errors: ""))
      #expect(
        try Tool.run(["bus", "where"], in: directory, environment: ["BUS_DIR": path])
          == Outcome(
            exit: 0, output: "\(path)\n", errors: "named by the environment variable BUS_DIR\n"))
      try publish(directory)
      #expect(
        try run(directory, "where")
          == Outcome(
            exit: 0, output: "\(path)/.conclave/bus\n",
            errors: "the nearest one, from the working directory upwards\n"))
    }
  }

  @Test(arguments: ["status", "clean"])
  func noBusIsNotFound(_ command: String) throws {
    try withDirectory { directory in
      let outcome = try run(directory, command)
      #expect(
        outcome
          == Outcome(
            exit: 3, output: "",
            errors:
              "conclave: there is no bus at \(directory.path)/.conclave/bus; see conclave bus "
              + "where; the first publish or subscribe makes the bus\n"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }
  }

  @Test func statusOfFiles() throws {
    try withDirectory { directory in
      try publish(directory, "b")
      try publish(directory, "a.c")
      try publish(directory, "b")
      let text = try run(directory, "status", "--interval", "10ms")
      #expect(text.exit == 0 && text.errors.isEmpty)
      let lines = text.output.split(separator: "\n").map(String.init)
      #expect(lines.count == 6)
      #expect(lines[0] == "bus          \(directory.path)/.conclave/bus")
      #expect(lines[1] == "segment      none")
      #expect(lines[2].hasPrefix("files        2, "))
      #expect(lines[3].wholeMatch(of: #/  TOPIC  BYTES  PER SECOND  MODIFIED/#) != nil)
      #expect(lines[4].wholeMatch(of: #/  a\.c +\d+ +0\.0  20\d\d-.*Z/#) != nil)
      #expect(lines[5].wholeMatch(of: #/  b +\d+ +0\.0  20\d\d-.*Z/#) != nil)

      let json = try run(directory, "status", "--json", "--interval", "0")
      #expect(json.exit == 0)
      let object = try #require(
        JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
      #expect(object["sharedMemory"] is NSNull && object["intervalSeconds"] is NSNull)
      let files = try #require(object["files"] as? [[String: Any]])
      #expect(files.map { $0["topic"] as? String } == ["a.c", "b"])
      for file in files {
        let path = try #require(file["path"] as? String)
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        #expect(file["bytes"] as? Int == size)
      }
    }
  }

  @Test func cleanRemovesTheTopicFilesAndNothingElse() throws {
    try withDirectory { directory in
      try publish(directory)
      let bus = directory.appendingPathComponent(".conclave/bus")
      let own = bus.appendingPathComponent("notes.txt")
      try Data("mine".utf8).write(to: own)
      let topic = bus.appendingPathComponent("t.jsonl").path

      let dry = try run(directory, "clean", "--dry-run")
      #expect(dry.exit == 0 && dry.output == "would remove \(topic)\n")
      #expect(FileManager.default.fileExists(atPath: topic))

      let real = try run(directory, "clean", "--json")
      #expect(real.exit == 0 && real.errors.isEmpty)
      #expect(
        real.output == "{\"dryRun\":false,\"segment\":null,\"files\":[\"\(topic)\"],\"state\":[]}\n"
      )
      #expect(!FileManager.default.fileExists(atPath: topic))
      #expect(FileManager.default.fileExists(atPath: own.path))

      let again = try run(directory, "clean")
      #expect(again == Outcome(exit: 0, output: "nothing to remove\n", errors: ""))
    }
  }

  @Test(arguments: transports)
  func cleanRefusesWhileSomebodyLives(_ transport: String) throws {
    try withDirectory { directory in
      try publish(directory)
      let reader = try Tool(
        ["bus", "subscribe", "--from", "beginning", "--transport", transport], in: directory)
      let message = try run(
        directory, "publish", "t", "-s", "s", "-t", "x", "-p", "1", "--transport", transport)
      #expect(message.exit == 0)
      try reader.waitForOutput(lines: 1)
      for arguments in [["--dry-run"], ["--yes"]] {
        let refused = try Tool.run(["bus", "clean"] + arguments, in: directory)
        #expect(refused.exit == 5 && refused.output.isEmpty)
        #expect(refused.errors.hasPrefix("conclave: "))
        let users = "the bus is in use by no publishers and 1 subscriber; "
        #expect(refused.errors.contains(users) == (transport == "shm"))
        #expect(refused.errors.hasSuffix("; end them first: process \(reader.pid)\n"))
      }
      reader.send(SIGKILL)
      #expect(try reader.finish().exit == -SIGKILL)
      let cleaned = try run(directory, "clean")
      #expect(cleaned.exit == 0 && cleaned.output.contains("removed "))
      #expect(try run(directory, "clean").output == "nothing to remove\n")
    }
  }

  /// A reader, a writer, and somebody on another bus.
  @Test func statusNamesWhoUsesTheFiles() throws {
    try withDirectory { directory in
      try publish(directory)
      #expect(try run(directory, "status", "--json").output.contains(#""fileProcesses":[],"#))
      let follow = ["bus", "subscribe", "--transport", "file", "--from", "beginning"]
      let say = ["bus", "publish", "t", "-s", "s", "-t", "x", "--transport", "file"]
      let reader = try Tool(follow, in: directory)
      let writer = try Tool(say + ["--lines"], in: directory)
      let stranger = try Tool(say + ["--lines", "--bus-dir", "other"], in: directory)
      try writer.type("1\n")
      try stranger.type("1\n")
      let file = directory.appendingPathComponent("other/t.jsonl").path
      try reader.waitForOutput(lines: 2)
      try eventually { FileManager.default.fileExists(atPath: file) }
      let pids = [reader.pid, writer.pid].sorted()
      let json = try run(directory, "status", "--json").output
      #expect(json.contains("\"fileProcesses\":[\(pids[0]),\(pids[1])],"))
      let text = try run(directory, "status", "--interval", "0").output
      #expect(text.contains(", used by process \(pids[0]), \(pids[1])\n"))
      #expect(try writer.finish().exit == 0)
      #expect(try stranger.finish().exit == 0)
      #expect(
        try run(directory, "status", "--json").output
          .contains("\"fileProcesses\":[\(reader.pid)],"))
    }
  }

  @Test func statusOfSharedMemory() throws {
    try withDirectory { directory in
      let reader = try Tool(
        ["bus", "subscribe", "a.b", "--from", "beginning", "--policy", "back-pressure"],
        in: directory)
      let writer = try Tool(
        ["bus", "publish", "a.b", "-s", "s", "-t", "x", "--lines"], in: directory)
      try writer.type("1\n2\n")
      try reader.waitForOutput(lines: 2)
      let outcome = try run(directory, "status", "--json", "--interval", "1ms")
      let object = try #require(
        JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
      let segment = try #require(object["sharedMemory"] as? [String: Any])
      #expect(segment["position"] as? Int == 2 && segment["recordsPerSecond"] as? Double == 0)
      let lanes = try #require(segment["lanes"] as? [[String: Any]])
      #expect(lanes.map { $0["live"] as? Bool } == [true])
      #expect(lanes.map { $0["messages"] as? Int } == [2])
      #expect(lanes.map { $0["process"] as? Int32 } == [writer.pid])
      let rows = try #require(segment["subscribers"] as? [[String: Any]])
      #expect(rows.map { $0["process"] as? Int32 } == [reader.pid])
      #expect(rows.map { $0["policy"] as? String } == ["back-pressure"])
      #expect(rows.map { $0["prefix"] as? String } == ["a.b"])

      // Ending in order leaves nothing behind that looks dead.
      #expect(try writer.finish().exit == 0)
      reader.send(SIGINT)
      #expect(try reader.finish().exit == 130)
      let text = try run(directory, "status", "--interval", "0").output
      #expect(text.contains("\nlanes        0 live, 1 dead\n"))
      #expect(text.contains("\nsubscribers  0 live, 0 dead, 0 messages lost\n"))
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
  func othersBusesArePermissionDenied() throws {
    try withDirectory { directory in
      try publish(directory)
      _ = unsafe chown(directory.path + "/.conclave/bus", 1, 1)
      for command in ["status", "clean", "subscribe"] {
        let outcome = try run(directory, command, "--bus-dir", ".conclave/bus")
        #expect(outcome.exit == 7 && outcome.output.isEmpty)
        #expect(outcome.errors.hasPrefix("conclave: ") && outcome.errors.contains("; "))
      }
    }
  }
  /// What makes a command obey the rights of a directory, which root need not; nil where that
  /// cannot be had.
  private static let asNobody: String? = {
    if geteuid() != 0 { return "" }
    let prefix = "setpriv --reuid=65534 --clear-groups"
    let root = URL(fileURLWithPath: "/")
    let works = try? Tool.shell("\(prefix) '\(Tool.path)' --version", in: root)
    return works?.exit == 0 ? prefix : nil
  }()

  @Test(.enabled(if: asNobody != nil, "nobody can be asked who is not root"))
  func readOnlyDirectories() throws {
    let prefix = try #require(Self.asNobody)
    try withDirectory { directory in
      func run(_ command: String) throws -> Outcome {
        try Tool.shell("\(prefix) '\(Tool.path)' bus \(command) --bus-dir bus", in: directory)
      }
      let owner = prefix.isEmpty ? "" : "chown 65534 bus && "
      #expect(try Tool.shell("mkdir bus && \(owner)chmod 500 bus", in: directory).exit == 0)
      #expect(try run("publish t -s s -t x -p 1").exit == 0)
      let dry = try run("clean --dry-run")
      #expect(dry.exit == 0 && dry.output.hasPrefix("would remove /dev/shm/"))
      // No file was ever there, so the segment is all there is to remove.
      #expect(
        try run("clean")
          == Outcome(
            exit: 0, output: dry.output.replacingOccurrences(of: "would remove", with: "removed"),
            errors: ""))

      // With topic files nothing is removed, since not all can be.
      #expect(try run("publish t -s s -t x -p 1").exit == 0)
      #expect(try Tool.shell("chmod 700 bus", in: directory).exit == 0)
      #expect(try run("publish t -s s -t x -p 1 --transport file").exit == 0)
      #expect(try Tool.shell("chmod 500 bus", in: directory).exit == 0)
      let refused = try run("clean")
      #expect(refused.exit == 7 && refused.output.isEmpty)
      #expect(
        refused.errors
          == "conclave: the topic files in \"\(directory.path)/bus\" cannot be removed: "
          + "Permission denied; make the directory writable (chmod u+w), then clean again; "
          + "nothing was removed\n"
      )
      #expect(try run("status --json").output.contains(#""sharedMemory":{"path""#))
      #expect(try Tool.shell("chmod 700 bus", in: directory).exit == 0)
      #expect(try run("clean").exit == 0)
    }
  }

  /// What bears a topic file's name and is none is called what it is, once, and stays.
  @Test func unusableTopicFiles() throws {
    try withDirectory { directory in
      try publish(directory)
      let made = try Tool.shell(
        """
        cd .conclave/bus && mkdir d.jsonl && mkfifo f.jsonl && ln -s nowhere l.jsonl && \
        echo '{}' > one && ln one h.jsonl
        """, in: directory)
      #expect(made.exit == 0)
      let reasons = [
        ("d", "it is a directory, not a regular file"), ("f", "it is a FIFO, not a regular file"),
        ("h", "it has 2 names (hard links)"), ("l", "it is a symbolic link, not a regular file"),
      ]
      let reader = try run(
        directory, "subscribe", "--transport", "file", "--from", "beginning", "--timeout", "1s",
        "--strict")
      #expect(reader.exit == 6 && reader.output.split(separator: "\n").count == 1)
      let status = try run(directory, "status", "--interval", "0")
      let json = try run(directory, "status", "--interval", "0", "--json").output
      let bus = "\(directory.path)/.conclave/bus"
      for (name, reason) in reasons {
        #expect(
          reader.errors.contains(
            "conclave: warning: \"\(name).jsonl\" cannot be used as a topic file: \(reason)\n"))
        #expect(status.output.contains("unusable     \(bus)/\(name).jsonl: \(reason)\n"))
        #expect(json.contains("{\"path\":\"\(bus)/\(name).jsonl\",\"reason\":\"\(reason)\"}"))
      }
      #expect(reader.errors.split(separator: "\n").count == 4)
      #expect(try run(directory, "clean").output == "removed \(bus)/t.jsonl\n")
      let left = try FileManager.default.contentsOfDirectory(atPath: bus)
      #expect(left.count { $0.hasSuffix(".jsonl") } == 4)
    }
  }

  /// Paths that cannot be a directory's, whatever is done about it.
  @Test(arguments: transports)
  func impossibleDirectoriesAreWrongUse(_ transport: String) throws {
    try withDirectory { directory in
      try Data().write(to: directory.appendingPathComponent("file"))
      let made = try Tool.shell("ln -s loop loop", in: directory)
      #expect(made.exit == 0)
      let parts = Array(repeating: String(repeating: "x", count: 200), count: 25)
      let impossible = [
        "file/bus", "file/a/b", "loop/bus", String(repeating: "x", count: 300),
        parts.joined(separator: "/"), parts.prefix(16).joined(separator: "/"),
      ]
      for path in impossible {
        for command in [["publish", "t", "-s", "s", "-t", "x", "-p", "1"], ["subscribe"]] {
          if path.utf8.count == 3215, transport == "file" { continue }
          let outcome = try Tool.run(
            ["bus"] + command + ["--bus-dir", path, "--transport", transport], in: directory)
          #expect(outcome.exit == 2 && outcome.output.isEmpty, "\(outcome.errors)")
          #expect(outcome.errors.hasPrefix("conclave: ") && outcome.errors.contains("; "))
        }
      }
    }
  }
}
