import BusTesting
import Foundation
import Testing

/// What publishers say of a mirror that cannot write, and what a mirror keeps.
@Suite(.blocking) struct MirrorPolicyTests {
  /// Runs `body` beside a mirror that cannot write the topic `t`, and then can again.
  ///
  /// - Returns: the payloads that the topic's file has in the end.
  private func whileFailing(_ body: (URL) throws -> Void) throws -> [String] {
    var payloads: [String] = []
    try withDirectory { directory in
      let mirror = try Tool.mirror(in: directory)
      let file = directory.appendingPathComponent(".conclave/bus/t.jsonl")
      try FileManager.default.createSymbolicLink(
        at: file, withDestinationURL: directory.appendingPathComponent("elsewhere"))
      #expect(try publish(directory, ["-p", "1", "--transport", "shm"]).exit == 0)
      try eventually { try mirror.errors.contains("the mirror cannot write") }
      try body(directory)
      // Unless that is done.
      if (try? FileManager.default.destinationOfSymbolicLink(atPath: file.path)) != nil {
        try FileManager.default.removeItem(at: file)
      }
      try eventually { try mirror.errors.contains("the mirror can write again") }
      mirror.send(SIGTERM)
      #expect(try mirror.finish().exit == 143)
      payloads = try mirrored(directory, "t").map(\.payload)
    }
    return payloads
  }

  private let onlyOnTheBus =
    "conclave: the mirror cannot write the topic files (incompatible): the message is on the bus, "
    + "but not in its file; see why with conclave bus status; the mirror goes on by itself once it "
    + "can write\n"

  @Test func aPublisherThatIsToFailPublishesNothing() throws {
    let payloads = try whileFailing { directory in
      let refused = Outcome(
        exit: 6, output: "",
        errors: "conclave: the mirror cannot write the topic files (incompatible): nothing was "
          + "published; see why with conclave bus status; the mirror goes on by itself once it "
          + "can write\n")
      for more in [[], ["--durability", "synced"], ["--idempotency-key", "k"]] {
        let options = ["-p", "2", "--when-failing", "fail"] + more
        #expect(try publish(directory, options) == refused)
      }
      let lines = try Tool.run(
        ["bus", "publish", "t", "-s", "s", "-t", "x", "--lines", "--when-failing", "fail"],
        in: directory, input: "2\n2\n")
      #expect(lines.exit == 6 && lines.errors.contains("nothing was published"))
    }
    #expect(payloads == ["1"])
  }

  /// A topic whose file could never be made: each of these publishers is the mirror, one after the
  /// other, and knows from the one before it what it cannot write.
  @Test(.enabled("only root may mount") { geteuid() == 0 })
  func whatCouldNotBeMadeIsTroubleToEveryMirror() throws {
    try withDirectory { directory in
      let bus = directory.appendingPathComponent("bus")
      try FileManager.default.createDirectory(at: bus, withIntermediateDirectories: false)
      guard unsafe mount("tmpfs", bus.path, "tmpfs", 0, "size=4m,nr_inodes=16,mode=0700") == 0
      else { return }
      defer { unsafe umount2(bus.path, Int32(MNT_DETACH)) }
      func say(_ topic: String, _ payload: Int, _ options: [String]) throws -> Int32 {
        try Tool.run(
          ["bus", "publish", topic, "-s", "s", "-t", "x", "-p", "\(payload)"] + options
            + ["--bus-dir", "bus"],
          in: directory
        ).exit
      }
      #expect(try say("a", 1, ["--durability", "mirrored"]) == 0)
      var fillers = (0..<16).map { bus.appendingPathComponent("filler\($0)") }
      while fillers.last.map({ FileManager.default.createFile(atPath: $0.path, contents: nil) })
        == true
      { fillers.removeLast() }
      #expect(try say("b", 1, ["--durability", "mirrored", "--patience", "100ms"]) == 6)
      for _ in 0..<4 { #expect(try say("b", 2, ["--when-failing", "fail"]) == 6) }
      try FileManager.default.removeItem(at: bus.appendingPathComponent("filler15"))
      #expect(try say("b", 3, ["--when-failing", "fail", "--durability", "mirrored"]) == 0)
      let text = try String(
        contentsOf: bus.appendingPathComponent("b.jsonl"), encoding: .utf8)
      #expect(text.split(separator: "\n").count == 2)
    }
  }

  @Test func aPublisherThatIsToGoOnWaitsForNothing() throws {
    let payloads = try whileFailing { directory in
      let options = ["--when-failing", "continue", "--patience", "1h"]
      let done = Outcome(exit: 0, output: "", errors: "")
      #expect(try publish(directory, ["-p", "2"] + options) == done)
      // It ends at all: with the other policy it would wait for an hour.
      let told = try publish(directory, ["-p", "3", "--durability", "mirrored"] + options)
      #expect(told == Outcome(exit: 6, output: "", errors: onlyOnTheBus))
    }
    // The mirror is to write what it can, whatever the publishers do.
    #expect(payloads == ["1", "2", "3"])
  }

  @Test func aPublisherThatBlocksHasItsPatience() throws {
    let payloads = try whileFailing { directory in
      let options = ["--durability", "mirrored", "--patience"]
      let told = try publish(directory, ["-p", "2"] + options + ["200ms"])
      #expect(told == Outcome(exit: 6, output: "", errors: onlyOnTheBus))
      let patient = try Tool(
        ["bus", "publish", "t", "-s", "s", "-t", "x", "-p", "3", "--when-failing", "block"]
          + options + ["1h"], in: directory)
      try eventually {
        try Tool.run(["bus", "status", "--json"], in: directory).output.contains(#""position":3,"#)
      }
      try FileManager.default.removeItem(
        at: directory.appendingPathComponent(".conclave/bus/t.jsonl"))
      #expect(try patient.finish() == Outcome(exit: 0, output: "", errors: ""))
    }
    #expect(payloads == ["1", "2", "3"])
  }

  @Test func whatConcernsTheMirrorNeedsOne() throws {
    try withDirectory { directory in
      for option in [["--when-failing", "fail"], ["--patience", "1s"]] {
        let expected = Outcome(
          exit: 2, output: "",
          errors: "conclave: \(option[0]) means nothing without the mirror; use --transport "
            + "mirror, or leave \(option[0]) out\n")
        for transport in ["shm", "file"] {
          let arguments = ["-p", "1"] + option
          let byOption = try publish(directory, arguments + ["--transport", transport])
          let environment = ["BUS_TRANSPORT": transport]
          let byVariable = try publish(directory, arguments, environment: environment)
          #expect(byOption == expected && byVariable == expected)
        }
      }
      #expect(try publish(directory, ["-p", "1", "--when-failing", "panic"]).exit == 2)
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
      // Without a transport it is the mirrored bus.
      #expect(try publish(directory, ["-p", "1", "--when-failing", "block"]).exit == 0)
      let file = directory.appendingPathComponent(".conclave/bus/t.jsonl")
      #expect(FileManager.default.fileExists(atPath: file.path))
    }
  }

  /// Somebody has removed the segment's file while the mirror was at work: who comes then makes
  /// another one, and the mirror does not know of it.
  @Test func aMirrorOfARemovedSegmentIsNamed() throws {
    try withDirectory { directory in
      let mirror = try Tool.mirror(in: directory)
      let status = try Tool.run(["bus", "status", "--json"], in: directory).output
      let segment = try #require(status.firstMatch(of: /"path":"(\/dev\/shm\/[^"]*)"/)).1
      try FileManager.default.removeItem(atPath: String(segment))
      let options = ["--durability", "mirrored", "--patience", "100ms"]
      let told = try publish(directory, ["-p", "1"] + options)
      #expect(told.exit == 6 && told.output.isEmpty)
      #expect(
        told.errors
          == "conclave: the message was not in its topic's file within 0.1 seconds: process "
          + "\(mirror.pid) has the mirror's lock, but does not mirror this segment; subscribers "
          + "have it; if the file of its segment was removed, it mirrors that one until it ends: "
          + "end it, and the next mirror copies the message\n")
      mirror.send(SIGTERM)
      #expect(try mirror.finish().exit == 143)
      // As it says.
      #expect(try publish(directory, ["-p", "2", "--durability", "mirrored"]).exit == 0)
      let read = try Tool.run(["bus", "replay", "t"], in: directory).output
      #expect(read.matches(of: /"payload":(\d)/).map { String($0.1) } == ["1", "2"])
    }
  }

  @Test func aMirrorThatIsStoppedIsNamed() throws {
    try withDirectory { directory in
      let mirror = try Tool.mirror(in: directory)
      mirror.send(SIGSTOP)
      let options = ["--durability", "mirrored", "--patience", "100ms"]
      let told = try publish(directory, ["-p", "1"] + options)
      #expect(told.exit == 6)
      #expect(told.errors.contains(": the mirror, process \(mirror.pid), is behind or stopped; "))
      mirror.send(SIGCONT)
      mirror.send(SIGTERM)
      #expect(try mirror.finish().exit == 143)
    }
  }

  // MARK: What a mirror keeps

  @Test func cleaningForgetsTheMirrorToo() throws {
    try withDirectory { directory in
      let path = directory.path + "/.conclave/bus"
      func ours() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path)
          .filter { $0.hasPrefix(".mirror") }.sorted()
      }
      for _ in 0..<2 {
        #expect(try publish(directory, ["-p", "1", "--durability", "mirrored"]).exit == 0)
        #expect(try ours() == [".mirror.base", ".mirror.chains", ".mirror.lock"])
        let read = try Tool.run(["bus", "replay", "t"], in: directory).output
        #expect(read.contains(#""position":0}"#))
        #expect(try Tool.run(["bus", "clean", "--yes"], in: directory).exit == 0)
        #expect(try ours() == [])
      }
    }
  }

  @Test func aMirrorRotatesAndRemoves() throws {
    try withDirectory { directory in
      let mirror = try Tool.mirror(
        ["--retention", "age=1w,count=8", "--retention-topic", "a"], in: directory)
      func files(_ topic: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory.path + "/.conclave/bus")
          .filter { $0.hasPrefix(topic + ".jsonl") }.sorted()
      }
      func publish(_ topic: String) throws {
        let outcome = try Tool.run(
          ["bus", "publish", topic, "-s", "s", "-t", "x", "--transport", "shm", "--lines"],
          in: directory, input: "1\n2\n3\n4\n5\n")
        #expect(outcome.exit == 0)
      }
      var count = 0
      try eventually {
        try publish("a.b")
        try publish("c")
        count += 5
        // The limits are looked at once a second, while there is something to copy.
        return try files("a.b").count > 1 && !files("a.b").contains("a.b.jsonl.000001")
      }
      try eventually {
        try Tool.run(["bus", "status", "--json"], in: directory).output.contains(#""lag":0"#)
      }
      func read(_ topic: String) throws -> Int {
        try Tool.run(["bus", "replay", topic], in: directory).output.split(separator: "\n").count
      }
      let kept = try read("a")
      #expect(kept >= 8 && kept < count)
      #expect(try files("c") == ["c.jsonl"])
      #expect(try read("c") == count)
      mirror.send(SIGTERM)
      let ended = try mirror.finish()
      #expect(ended.exit == 143 && !ended.errors.contains("warning"))
    }
  }

  /// Retention and what is not acknowledged: as of `compact`.
  @Test func aMirrorSaysWhomItOvertakes() throws {
    try withDirectory { directory in
      let mirror = try Tool.mirror(["--retention", "count=1"], in: directory)
      let member = try Tool(
        ["bus", "subscribe", "t", "--durable", "slow", "--ack", "manual"], in: directory)
      try eventually {
        _ = try publish(directory, ["-p", "1", "--transport", "shm"])
        return try mirror.errors.contains(
          "warning: removed messages of topic t that \"slow\" had not acknowledged")
      }
      // It watches for signals before it prints anything.
      try member.waitForOutput(lines: 1)
      member.send(SIGTERM)
      mirror.send(SIGTERM)
      #expect(try member.finish().exit == 143)
      #expect(try mirror.finish().exit == 143)
    }
  }

  @Test(arguments: [
    ["--retention", "7d"], ["--retention-topic", "a"],
    ["--retention", "count=1", "--retention-topic", "a..b"],
  ])
  func mistakes(_ arguments: [String]) throws {
    try withDirectory { directory in
      let outcome = try Tool.run(["bus", "mirror"] + arguments, in: directory)
      #expect(outcome.exit == 2 && outcome.output.isEmpty)
      #expect(outcome.errors.hasPrefix("conclave: ") && outcome.errors.contains("; "))
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }
  }
}
