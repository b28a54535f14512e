import BusTesting
import Foundation
import Testing

/// `conclave bus publish --lines --durability`, ended while messages wait for the mirror.
@Suite(.blocking) struct UnconfirmedTests {
  /// Returns when it does nothing more.
  private func stop(_ tool: Tool) throws {
    tool.send(SIGSTOP)
    let threads = "/proc/\(tool.pid)/task"
    try eventually {
      try FileManager.default.contentsOfDirectory(atPath: threads).allSatisfy {
        try String(contentsOfFile: "\(threads)/\($0)/stat", encoding: .utf8).contains(") T ")
      }
    }
  }

  @Test(arguments: ["mirrored", "synced"], [true, false])
  func areToldApart(_ durability: String, _ isJSON: Bool) throws {
    try withDirectory { directory in
      let mirror = try Tool(["bus", "mirror"], in: directory)
      try eventually { try mirror.errors.contains("this process is the mirror of ") }
      let writer = try Tool(
        ["bus", "publish", "t", "-s", "s", "-t", "x", "--lines", "--durability", durability]
          + (isJSON ? ["--json"] : []), in: directory)
      try writer.type("1\n")
      func status(_ key: String) throws -> Int? {
        let output = try Tool.run(["bus", "status", "--json", "--interval", "0"], in: directory)
        let object = try JSONSerialization.jsonObject(with: Data(output.output.utf8))
        let segment = (object as? [String: Any])?["sharedMemory"] as? [String: Any]
        let mirror = segment?["mirror"] as? [String: Any]
        return key == "position" ? segment?[key] as? Int : mirror?[key] as? Int
      }
      try eventually { try status(durability) == 1 }
      try stop(mirror)
      try writer.type("2\n3\n")
      try eventually { try status("position") == 3 }
      writer.send(SIGINT)
      let outcome = try writer.finishWithoutClosingInput()
      mirror.send(SIGCONT)
      mirror.send(SIGTERM)
      #expect(try mirror.finish().exit == 143)
      #expect(outcome.exit == 130)
      if isJSON {
        #expect(outcome.output == "{\"published\":1,\"unconfirmed\":2}\n")
        #expect(outcome.errors.isEmpty)
      } else {
        #expect(outcome.errors == "conclave: published 1, 2 not confirmed\n")
      }
    }
  }

  /// An error says so as well.
  @Test func areToldOfAnError() throws {
    try withDirectory { directory in
      let mirror = try Tool(["bus", "mirror"], in: directory)
      try eventually { try mirror.errors.contains("this process is the mirror of ") }
      try stop(mirror)
      let outcome = try Tool.run(
        [
          "bus", "publish", "t", "-s", "s", "-t", "x", "--lines", "--durability", "mirrored",
          "--patience", "50ms", "--json",
        ], in: directory, input: "1\n2\n")
      mirror.send(SIGKILL)
      #expect(try mirror.finish().exit == -SIGKILL)
      #expect(
        outcome.exit == 6 && outcome.errors.hasSuffix("\"published\":0,\"unconfirmed\":2}}\n"))
    }
  }
}
