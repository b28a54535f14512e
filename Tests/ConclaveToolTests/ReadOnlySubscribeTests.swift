import BusTesting
import Foundation
import Testing

/// `bus subscribe --read-only`.
@Suite(.blocking) struct ReadOnlySubscribeTests {
  /// It makes nothing, and says who does.
  @Test func needsABus() throws {
    try withDirectory { directory in
      let outcome = try Tool.run(
        ["bus", "subscribe", "--read-only", "--bus-dir", "bus"], in: directory)
      #expect(outcome.exit != 0 && outcome.output.isEmpty)
      #expect(outcome.errors.contains("there is no bus at"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }
  }

  @Test func needsASegment() throws {
    try withDirectory { directory in
      let published = try Tool.run(
        [
          "bus", "publish", "t", "-s", "a", "-t", "k", "-p", "1", "--transport", "file",
          "--bus-dir", "bus",
        ], in: directory)
      #expect(published.exit == 0)
      let outcome = try Tool.run(
        ["bus", "subscribe", "--read-only", "--bus-dir", "bus"], in: directory)
      #expect(outcome.exit != 0 && outcome.output.isEmpty)
      #expect(outcome.errors.contains("there is no segment"))
      #expect(outcome.errors.contains("made by the first publish"))
    }
  }

  /// What it prints is what any subscriber prints, and nobody sees it.
  @Test(arguments: ["shm", "mirror"]) func printsWhatAnyoneDoes(_ transport: String) throws {
    try withDirectory { directory in
      func run(_ arguments: String...) throws -> Outcome {
        try Tool.run(
          ["bus"] + arguments + ["--bus-dir", "bus", "--transport", transport], in: directory)
      }
      for number in 1...3 {
        #expect(try run("publish", "t", "-s", "a", "-t", "k", "-p", "\(number)").exit == 0)
      }
      let plain = try run("subscribe", "--from", "beginning", "-n", "3")
      #expect(plain.exit == 0)
      #expect(plain.output.split(separator: "\n").count == 3)
      let readOnly = try run("subscribe", "--from", "beginning", "-n", "3", "--read-only")
      #expect(readOnly == plain)
    }
  }

  @Test func statusDoesNotShowIt() throws {
    try withDirectory { directory in
      _ = try Tool.run(
        ["bus", "publish", "t", "-s", "a", "-t", "k", "-p", "1", "--bus-dir", "bus"], in: directory)
      let tool = try Tool(
        ["bus", "subscribe", "--from", "beginning", "--read-only", "--bus-dir", "bus"],
        in: directory)
      try tool.waitForOutput(lines: 1)
      let status = try Tool.run(["bus", "status", "--json", "--bus-dir", "bus"], in: directory)
      #expect(status.output.contains(#""subscribers":[]"#), "\(status.output)")
      // The bus is in use all the same.
      let clean = try Tool.run(["bus", "clean", "--bus-dir", "bus"], in: directory)
      #expect(clean.errors.contains("in use") || clean.output.contains("in use"), "\(clean)")
      tool.send(SIGINT)
      let outcome = try tool.finish()
      #expect(outcome.exit == 130 && outcome.output.contains(#""payload":1"#))
    }
  }

  @Test(arguments: [
    (["--durable", "x"], "cannot be read-only"),
    (["--policy", "back-pressure"], "cannot hold publishers back"),
    (["--transport", "file"], "for shared memory"),
  ])
  func contradictions(_ arguments: [String], _ message: String) throws {
    try withDirectory { directory in
      let outcome = try Tool.run(["bus", "subscribe", "--read-only"] + arguments, in: directory)
      #expect(outcome.exit == 2 && outcome.output.isEmpty)
      #expect(outcome.errors.contains(message), "\(outcome.errors)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }
  }
}
