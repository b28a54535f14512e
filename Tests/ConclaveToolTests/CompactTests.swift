import BusTesting
import Foundation
import Testing

/// `compact`, and what `status` and `clean` make of rotated files.
@Suite(.blocking) struct CompactTests {
  private func run(_ directory: URL, _ arguments: String...) throws -> Outcome {
    try Tool.run(["bus"] + arguments, in: directory)
  }

  private func publish(_ directory: URL, _ topic: String, _ lines: Int) throws {
    let outcome = try Tool.run(
      ["bus", "publish", topic, "-s", "s", "-t", "x", "--transport", "file", "--lines"],
      in: directory, input: (1...lines).map { "\($0)\n" }.joined())
    #expect(outcome.exit == 0, "\(outcome.errors)")
  }

  private func size(_ directory: URL, _ name: String) throws -> Int {
    let path = "\(directory.path)/.conclave/bus/\(name)"
    return try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? -1
  }

  @Test func rotatesAndRemoves() throws {
    try withDirectory { directory in
      try publish(directory, "a", 10)
      try publish(directory, "b.c", 1)
      // Nothing is limited, so nothing is removed.
      #expect(try run(directory, "compact", "-n").output == "would rotate a\nwould rotate b.c\n")
      let rotated = Outcome(exit: 0, output: "rotated a\nrotated b.c\n", errors: "")
      #expect(try run(directory, "compact") == rotated)
      #expect(try run(directory, "compact").output == "nothing to rotate or remove\n")
      let bytes = try size(directory, "a.jsonl.000001")

      try publish(directory, "a", 2)
      let limits = ["--retention", "age=1w,count=2"]
      let dry = try Tool.run(["bus", "compact", "--dry-run"] + limits, in: directory)
      let form = #/would rotate a\nwould remove 1 file of a: 1\.\d KiB, 10 messages\n/#
      #expect(dry.output.wholeMatch(of: form) != nil)
      let json = try Tool.run(["bus", "compact", "--json"] + limits, in: directory)
      #expect(
        json.output
          == #"{"dryRun":false,"topics":[{"topic":"a","rotated":true,"removedFiles":1,"#
          + #""removedBytes":\#(bytes),"removedMessages":10}]}"# + "\n")
      let heard = try run(
        directory, "subscribe", "a", "--transport", "file", "--from", "beginning", "--timeout",
        "100ms", "--count", "2", "--strict")
      #expect(heard.exit == 0 && heard.output.split(separator: "\n").count == 2)
      // Who asks for what is gone has lost it, though of its sender nothing is left.
      for transport in ["file", "mirror"] {
        let since = try run(
          directory, "subscribe", "a", "--transport", transport, "--from=-1h", "--count", "2",
          "--strict")
        #expect(since.exit == 6 && since.output.split(separator: "\n").count == 2)
        #expect(since.errors.contains("messagesRemoved") || since.errors.contains("have removed"))
      }

      let other = try run(directory, "compact", "--topic", "b", "--retention", "age=1ms", "--json")
      #expect(other.output.hasPrefix(#"{"dryRun":false,"topics":[{"topic":"b.c","rotated":false,"#))
      #expect(try size(directory, "b.c.jsonl.000001") == 0)
    }
  }

  @Test func wrongUse() throws {
    try withDirectory { directory in
      let missing = try run(directory, "compact")
      #expect(missing.exit == 3 && missing.errors.contains("there is no bus at "))
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
      for limits in ["", "7d", "age=7", "age=7d,,", "size=1GB", "count=-1"] {
        let outcome = try run(directory, "compact", "--retention=\(limits)")
        #expect(outcome.exit == 2 && outcome.output.isEmpty)
        #expect(
          outcome.errors
            == "conclave: option --retention is \"\(limits)\"; write limits such as "
            + "age=7d,size=1GiB,count=1000000\n")
      }
      #expect(try run(directory, "compact", "--topic", "a..b").exit == 2)
    }
  }

  /// A topic that cannot be used is not passed over in silence.
  @Test func whatIsNoTopicFileIsNamed() throws {
    try withDirectory { directory in
      try publish(directory, "a", 1)
      let bus = directory.appendingPathComponent(".conclave/bus")
      try FileManager.default.removeItem(at: bus.appendingPathComponent("a.jsonl"))
      let file = bus.appendingPathComponent("a.jsonl").path
      #expect(unsafe mkfifo(file, 0o600) == 0)
      let name = "\"a.jsonl\" cannot be used as a topic file: it is a "
      let compacted = try run(directory, "compact")
      #expect(compacted.exit == 0 && compacted.errors.contains(name), "\(compacted.errors)")
      let replayed = try run(directory, "replay")
      #expect(replayed.exit == 3 && replayed.errors.contains(name), "\(replayed.errors)")
    }
  }

  @Test func statusAndCleanShowAllFiles() throws {
    try withDirectory { directory in
      try publish(directory, "a", 1)
      #expect(try !run(directory, "status", "--interval", "0").output.contains("FILES"))
      #expect(try run(directory, "compact").exit == 0)
      try publish(directory, "a", 1)
      try publish(directory, "b", 1)
      let text = try run(directory, "status", "--interval", "0").output
      #expect(text.contains("\nfiles        3, "))
      #expect(text.contains("\n  TOPIC  FILES  BYTES  PER SECOND  MODIFIED\n"))
      #expect(text.firstMatch(of: #/\n  a +2 +\d+ /#) != nil)
      #expect(text.firstMatch(of: #/\n  b +1 +\d+ /#) != nil)
      let json = try run(directory, "status", "--interval", "0", "--json").output
      #expect(json.contains(#""fileCount":2}"#) && json.contains(#""fileCount":1}"#))
      let bus = "\(directory.path)/.conclave/bus"
      let lines = ["a.jsonl.000001", "a.jsonl", "b.jsonl"].map { "removed \(bus)/\($0)\n" }
      #expect(try run(directory, "clean", "--yes").output == lines.joined())
      #expect(try run(directory, "clean").output == "nothing to remove\n")
    }
  }
}
