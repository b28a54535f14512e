import BusTesting
import Foundation
import Testing

/// Which of the options of `conclave bus mirror` hold when, and which make no sense.
@Suite(.blocking) struct MirrorOptionTests {
  private func awaitRole(_ tool: Tool, _ words: String) throws {
    try eventually { try tool.errors.contains(words) }
  }

  /// It removes what is too much though another process is the mirror, and says what does not hold.
  @Test func whileItWaits() throws {
    try withDirectory { directory in
      let first = try Tool(["bus", "mirror"], in: directory)
      try awaitRole(first, "this process is the mirror of ")
      let options = ["--retention", "count=4", "--sync-interval", "1s", "--patience", "5s"]
      let second = try Tool(["bus", "mirror"] + options, in: directory)
      try awaitRole(
        second,
        "process \(first.pid) is the mirror; this one waits for its end, and until then "
          + "--sync-interval, --patience will not hold\n")
      let script = try Tool(["bus", "mirror", "--json"] + options, in: directory)
      try script.waitForOutput(lines: 1)
      let publish = ["bus", "publish", "t", "-s", "s", "-t", "x", "--lines", "--json"]
      let lines = (1...10).map { "\($0)\n" }.joined()
      let ledger = directory.path + "/.conclave/bus/.retention.removed"
      try eventually {
        let outcome = try Tool.run(publish, in: directory, input: lines)
        #expect(outcome.exit == 0)
        return FileManager.default.fileExists(atPath: ledger)
      }
      func said(_ role: String) throws -> [String: Any]? {
        try script.output.split(separator: "\n").lazy.compactMap {
          try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }.first { $0["role"] as? String == role }
      }
      let waiting = try #require(try said("waiting"))
      #expect(waiting["optionsInForce"] as? [String] == ["retention"])
      #expect(waiting["optionsWaiting"] as? [String] == ["sync-interval", "patience"])
      for tool in [first, second] {
        tool.send(SIGKILL)
        #expect(try tool.finish().exit == -SIGKILL)
      }
      try eventually { try said("mirror") != nil }
      let mirror = try #require(try said("mirror"))
      #expect(
        mirror["optionsInForce"] as? [String] == ["sync-interval", "patience", "retention"])
      #expect(mirror["optionsWaiting"] as? [String] == [])
      script.send(SIGTERM)
      #expect(try script.finish().exit == 143)
    }
  }

  @Test func whatKeepsNothingIsRefused() throws {
    try withDirectory { directory in
      for limit in ["count=0", "size=0", "age=0s", "age=1d,size=0KiB"] {
        for command in ["mirror", "compact"] {
          let outcome = try Tool.run(["bus", command, "--retention", limit], in: directory)
          #expect(outcome.exit == 2 && outcome.output.isEmpty)
          #expect(outcome.errors.contains("would keep nothing; use a limit greater than 0"))
        }
      }
      let often = try Tool.run(["bus", "mirror", "--sync-interval", "0"], in: directory)
      #expect(often.exit == 2 && often.errors.contains("--sync-interval 0 "))
      // Nothing was made.
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }
  }

  /// What goes with the topic files is listed with them.
  @Test func cleanSaysAllThatItRemoves() throws {
    try withDirectory { directory in
      let durable = try Tool(["bus", "subscribe", "t", "--durable", "n"], in: directory)
      let bus = directory.path + "/.conclave/bus"
      try eventually { FileManager.default.fileExists(atPath: "\(bus)/.durable/n.journal") }
      let keyed = ["-p", "1", "--idempotency-key", "k", "--transport", "mirror"]
      let say = ["bus", "publish", "t", "-s", "s", "-t", "x"]
      #expect(try Tool.run(say + keyed, in: directory).exit == 0)
      try durable.waitForOutput(lines: 1)
      let refused = try Tool.run(["bus", "clean"], in: directory)
      #expect(refused.exit == 5)
      #expect(refused.errors.contains("in use by no publishers, 1 subscriber and its mirror; "))
      durable.send(SIGTERM)
      #expect(try durable.finish().exit == 143)
      let dry = try Tool.run(["bus", "clean", "--dry-run"], in: directory)
      let expected = [".durable", ".keys", ".mirror.base", ".mirror.chains", ".mirror.lock"]
        .map { "\(bus)/\($0)" }
      let listed = dry.output.split(separator: "\n").map { $0.dropFirst("would remove ".count) }
      #expect(listed.suffix(5).map(String.init) == expected)
      #expect(listed.count == 7 && listed.contains("\(bus)/t.jsonl"))
      let json = try Tool.run(["bus", "clean", "--dry-run", "--json"], in: directory)
      let object =
        try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
      #expect(object?["state"] as? [String] == expected)
      #expect(try Tool.run(["bus", "clean"], in: directory).exit == 0)
      for path in expected { #expect(!FileManager.default.fileExists(atPath: path)) }
      let again = try Tool.run(["bus", "clean", "--dry-run"], in: directory)
      #expect(again.output == "nothing to remove\n")
    }
  }

  @Test func aDurableSubscriptionNeedsTheMirror() throws {
    try withDirectory { directory in
      for transport in ["shm", "file"] {
        let outcome = try Tool.run(
          ["bus", "subscribe", "--durable", "n", "--transport", transport], in: directory)
        #expect(outcome.exit == 2)
        #expect(
          outcome.errors.hasPrefix(
            "conclave: --durable needs the mirrored bus, not --transport \(transport); use "))
      }
    }
  }
}
