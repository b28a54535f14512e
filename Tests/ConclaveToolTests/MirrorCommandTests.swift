import BusTesting
import Foundation
import Testing

/// `conclave bus mirror`, and publishing with a promise.
@Suite(.blocking) struct MirrorCommandTests {
  @Test func copiesWhatOthersPublish() throws {
    try withDirectory { directory in
      let mirror = try Tool.mirror(in: directory)
      for number in 1...3 {
        let outcome = try publish(directory, ["-p", "\(number)", "--transport", "shm"])
        #expect(outcome == Outcome(exit: 0, output: "", errors: ""))
      }
      try eventually { try mirrored(directory, "t").map(\.payload) == ["1", "2", "3"] }
      let status = try Tool.run(["bus", "status", "--json"], in: directory).output
      #expect(status.contains(#""mirror":{"process":\#(mirror.pid),"mirrored":3,"#))
      mirror.send(SIGTERM)
      let path = directory.path + "/.conclave/bus"
      #expect(
        try mirror.finish()
          == Outcome(
            exit: 143, output: "", errors: "conclave: this process is the mirror of \(path)\n"))
      let ended = try Tool.run(["bus", "status", "--json"], in: directory).output
      #expect(ended.contains(#""mirror":{"process":null,"mirrored":3,"#))
    }
  }

  @Test func scriptsAreTold() throws {
    try withDirectory { directory in
      let first = try Tool(["bus", "mirror", "--json"], in: directory)
      try first.waitForOutput(lines: 1)
      let second = try Tool(["bus", "mirror", "--json"], in: directory)
      try second.waitForOutput(lines: 2)
      let said = try second.output
      #expect(said.hasPrefix(#"{"role":"waiting","position":0,"mirror":{"process":\#(first.pid),"#))
      #expect(try publish(directory, ["-p", "1"]).exit == 0)
      first.send(SIGINT)
      let ended = try first.finish()
      #expect(ended.exit == 130 && ended.errors.isEmpty)
      let objects = try ended.output.split(separator: "\n").map {
        try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
      }
      let roles = objects.compactMap { $0["role"] as? String }
      #expect(roles.first == "mirror" && roles.last == "ended")
      #expect(roles.dropLast().allSatisfy { $0 == "mirror" })
      let last = try #require(objects.last?["mirror"] as? [String: Any])
      #expect(last["mirrored"] as? Int == 1 && last["lag"] as? Int == 0)
      try eventually { try second.output.contains(#"{"role":"mirror","#) }
      second.send(SIGTERM)
      #expect(try second.finish().exit == 143)
    }
  }

  @Test func endsWhenNobodyReads() throws {
    try withDirectory { directory in
      let outcome = try Tool.shell(
        "{ conclave bus mirror --json; echo \"exit $?\" >&2; } | head -1", in: directory)
      #expect(outcome.output.hasPrefix(#"{"role":"mirror","#))
      #expect(outcome.errors == "exit 141\n")
    }
  }

  /// The mirror of another segment: one in another name space, say.
  @Test func anotherBusIsAConflict() throws {
    try withDirectory { directory in
      let mirror = try Tool(["bus", "mirror"], in: directory)
      try eventually { try !mirror.errors.isEmpty }
      let lock = directory.appendingPathComponent(".conclave/bus/.mirror.lock")
      try Data("1 /dev/shm/another\n".utf8).write(to: lock, options: [])
      for command in [["mirror"], ["subscribe", "--transport", "mirror"]] {
        let outcome = try Tool.run(["bus"] + command, in: directory)
        #expect(outcome.exit == 5 && outcome.errors.contains("/dev/shm/another"))
      }
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
  func othersDirectoriesArePermissionDenied() throws {
    try withDirectory { directory in
      let made = try publish(directory, ["-p", "1", "--transport", "file"])
      _ = unsafe chown(directory.path + "/.conclave/bus", 1, 1)
      let refused = try Tool.run(["bus", "mirror", "--bus-dir", ".conclave/bus"], in: directory)
      #expect(made.exit == 0 && refused.exit == 7)
    }
  }

  /// Something else stands where a topic's file would.
  @Test(arguments: ["block", "continue"])
  func saysThatItCannotWrite(_ policy: String) throws {
    try withDirectory { directory in
      let mirror = try Tool.mirror(["--when-failing", policy], in: directory)
      let obstacle = directory.appendingPathComponent(".conclave/bus/t.jsonl")
      try FileManager.default.createDirectory(at: obstacle, withIntermediateDirectories: false)
      func status() throws -> String {
        try Tool.run(["bus", "status", "--interval", "0"], in: directory).output
      }
      #expect(try publish(directory, ["-p", "1"]).exit == 0)
      try eventually { try status().contains("\n             cannot write (incompatible) and ") }
      #expect(try mirror.errors.contains("warning: the mirror cannot write and tries again: "))
      if policy == "continue" { try publishMoreThanThereIsRoom(directory) }
      #expect(try publish(directory, ["-p", "3"]).exit == 0)
      try FileManager.default.removeItem(at: obstacle)
      try eventually { try mirror.errors.contains("warning: the mirror can write again\n") }
      let ended = try status()
      #expect(!ended.contains("cannot write"))
      let lines = try mirrored(directory, "t").map(\.payload)
      if policy == "block" {
        #expect(lines == ["1", "3"])
      } else {
        #expect(ended.contains(" of records not in the files, the last one from "))
        #expect(try mirror.errors.contains(" records are not in the topic files: they could not "))
        #expect(!lines.contains("1"))
      }
      mirror.send(SIGTERM)
      #expect(try mirror.finish().exit == 143)
    }
  }

  // MARK: Promises

  @Test(
    arguments: ["mirrored", "synced"], [[], ["--transport", "mirror"], ["--transport", "file"]])
  func whatIsAcknowledgedIsInTheFile(_ durability: String, _ transport: [String]) throws {
    try withDirectory { directory in
      let outcome = try publish(directory, ["-p", "1", "--durability", durability] + transport)
      #expect(outcome == Outcome(exit: 0, output: "", errors: ""))
      #expect(try mirrored(directory, "t").map(\.payload) == ["1"])
    }
  }

  @Test func sharedMemoryAloneCannotPromise() throws {
    try withDirectory { directory in
      for durability in ["mirrored", "synced"] {
        let arguments = ["-p", "1", "--durability", durability]
        let line =
          "conclave: shared memory alone cannot promise \(durability); "
          + "use --transport mirror, or file\n"
        let expected = Outcome(exit: 2, output: "", errors: line)
        let option = try publish(directory, arguments + ["--transport", "shm"])
        let variable = try publish(
          directory, arguments, environment: ["BUS_TRANSPORT": "shm"])
        #expect(option == expected && variable == expected)
      }
      let unknown = try publish(directory, ["-p", "1", "--durability", "some"])
      #expect(unknown.exit == 2)
      // Nothing was made.
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }
  }

  @Test func anInterruptedPublisherThatMirrorsLeavesNothingOut() throws {
    try withDirectory { directory in
      let writer = try Tool(
        ["bus", "publish", "t", "-s", "s", "-t", "x", "--lines", "--transport", "mirror"],
        in: directory)
      let numbers = (1...5000).map(String.init)
      try writer.type(numbers.joined(separator: "\n") + "\n")
      try eventually { try mirrored(directory, "t").count > 0 }
      writer.send(SIGINT)
      let outcome = try writer.finishWithoutClosingInput()
      #expect(outcome.exit == 130)
      // What it did not get to in the time that an end may take is the next mirror's.
      let next = ["bus", "publish", "end", "-s", "s", "-t", "x", "-p", "1"]
      #expect(try Tool.run(next + ["--durability", "mirrored"], in: directory).exit == 0)
      let count = try #require(outcome.errors.firstMatch(of: /published (\d+)\n/)).1
      #expect(
        try mirrored(directory, "t").map(\.payload) == Array(numbers.prefix(Int(count) ?? -1)))
    }
  }

  /// Two publishers whose every line waits for the file, and a mirror that is killed: one that
  /// waited goes on, and each line is there once.
  @Test func aMirrorThatIsKilledCostsNothing() throws {
    try withDirectory { directory in
      var mirrors = [try Tool.mirror(in: directory)]
      let numbers = (1...400).map(String.init)
      let writers = try ["a", "b"].map { sender in
        try Tool(
          [
            "bus", "publish", "t", "-s", sender, "-t", "x", "--lines", "--durability", "mirrored",
            "--json",
          ], in: directory)
      }
      // In small portions, so that the kills come in the middle.
      for round in 0..<4 {
        let waiting = try Tool(["bus", "mirror"], in: directory)
        mirrors.append(waiting)
        try eventually { try !waiting.errors.isEmpty }
        for portion in 0..<10 {
          let first = round * 100 + portion * 10
          for writer in writers {
            try writer.type(numbers[first..<first + 10].joined(separator: "\n") + "\n")
          }
          if portion == 5 { mirrors[round].send(SIGKILL) }
        }
        #expect(try mirrors[round].finish().exit == -SIGKILL)
      }
      for writer in writers {
        let said = "{\"published\":400,\"unconfirmed\":0}\n"
        #expect(try writer.finish() == Outcome(exit: 0, output: said, errors: ""))
      }
      let all = try mirrored(directory, "t")
      for sender in ["a", "b"] {
        #expect(all.filter { $0.sender == sender }.map(\.payload) == numbers)
      }
      mirrors[4].send(SIGTERM)
      #expect(try mirrors[4].finish().exit == 143)
    }
  }

  @Test(arguments: [
    ["--when-failing", "panic"], ["--patience", "long"], ["--sync-interval", "often"], ["t"],
  ])
  func mistakes(_ arguments: [String]) throws {
    try withDirectory { directory in
      let outcome = try Tool.run(["bus", "mirror"] + arguments, in: directory)
      #expect(outcome.exit == 2 && outcome.output.isEmpty)
      #expect(outcome.errors.hasPrefix("conclave: ") && outcome.errors.contains("; "))
    }
  }
}
