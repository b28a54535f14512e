import BusTesting
import Foundation
import Testing

@Suite(.blocking) struct PublishTests {
  /// Publishes on topic `t` of the bus in `directory`.
  private func publish(
    _ directory: URL, _ transport: String, _ arguments: [String], input: String = ""
  ) throws -> Outcome {
    try Tool.run(
      ["bus", "publish", "t", "--sender", "s", "--type", "x", "--transport", transport] + arguments,
      in: directory, input: input)
  }

  /// The payloads on topic `t`, as `subscribe` prints them.
  private func payloads(_ directory: URL, _ transport: String) throws -> [String] {
    let outcome = try Tool.run(
      [
        "bus", "subscribe", "t", "--transport", transport, "--from", "beginning", "--timeout",
        "50ms",
      ], in: directory)
    #expect(outcome.exit == 4)
    // Further keys follow the payload; what they are is of no interest here.
    return outcome.output.matches(of: /"payload":(.*),"incarnation":\d.*\n/).map { String($0.1) }
  }

  @Test(arguments: [
    (["--payload", #"{"a":1}"#], "", [#"{"a":1}"#]),
    (["--payload= [1, 2] "], "", ["[1, 2]"]),
    (["-p", "-5"], "", ["-5"]),
    (["--payload", "hello \"you\"", "--text"], "", [#"{"text":"hello \"you\""}"#]),
    ([], " \n{\"a\": 1.00000000000000000001}\r\n\n", [#"{"a": 1.00000000000000000001}"#]),
    (["--payload", "-"], "17", ["17"]),
    (["--text"], "two\nlines\n\n", [#"{"text":"two\nlines"}"#]),
    (["--text"], "", [#"{"text":""}"#]),
    (["--lines"], "1\n\n \"zwei\"\r\n{}", ["1", "\"zwei\"", "{}"]),
    (["--lines"], "", []),
    (["--lines", "--text"], "a\n\nb\n", [#"{"text":"a"}"#, #"{"text":""}"#, #"{"text":"b"}"#]),
  ])
  func payloadForms(_ arguments: [String], _ input: String, _ expected: [String]) throws {
    for transport in transports {
      try withDirectory { directory in
        let outcome = try publish(directory, transport, arguments, input: input)
        #expect(outcome == Outcome(exit: 0, output: "", errors: ""))
        #expect(try payloads(directory, transport) == expected)
      }
    }
  }

  @Test func saysHowManyInJSON() throws {
    try withDirectory { directory in
      let outcome = try publish(directory, "file", ["--lines", "--json"], input: "1\n2\n3\n")
      #expect(outcome == Outcome(exit: 0, output: "{\"published\":3}\n", errors: ""))
    }
  }

  @Test(arguments: transports)
  func stopsAtABadLine(_ transport: String) throws {
    try withDirectory { directory in
      let outcome = try publish(directory, transport, ["--lines"], input: "1\n2\nno\n4\n")
      #expect(outcome.exit == 2 && outcome.output.isEmpty)
      #expect(outcome.errors.hasPrefix("conclave: line 3: "))
      #expect(outcome.errors.contains("(published before: 2)"))
      #expect(outcome.errors.split(separator: "\n").count == 1)
      #expect(try payloads(directory, transport) == ["1", "2"])

      let json = try publish(directory, transport, ["--lines", "--json"], input: "{\n")
      #expect(json.exit == 2 && json.output.isEmpty)
      #expect(json.errors.hasPrefix(#"{"error":{"code":"invalidPayload","message":"line 1: "#))
      #expect(json.errors.hasSuffix("\"published\":0}}\n"))
    }
  }

  /// The lines before it were read together with it, and are not to blame.
  @Test(arguments: transports)
  func stopsAtALineThatIsTooLarge(_ transport: String) throws {
    try withDirectory { directory in
      let file = directory.appendingPathComponent("input")
      let huge = "\"" + String(repeating: "x", count: 17 << 20) + "\"\n"
      try Data("1\n\n2\n\(huge)4\n".utf8).write(to: file)
      let outcome = try Tool.shell(
        "conclave bus publish t -s s -t x --lines --transport \(transport) <input", in: directory)
      #expect(outcome.exit == 2 && outcome.output.isEmpty)
      #expect(outcome.errors.hasPrefix("conclave: line 4: "))
      #expect(outcome.errors.contains("(published before: 2)"))
      #expect(try payloads(directory, transport) == ["1", "2"])
    }
  }

  @Test func aLineWithoutEndHasANumber() throws {
    try withDirectory { directory in
      let outcome = try Tool.shell(
        "(echo 1; head -c 70000000 /dev/zero | tr '\\0' x) | "
          + "conclave bus publish t -s s -t x --lines --transport file", in: directory)
      #expect(outcome.exit == 2)
      #expect(outcome.errors.hasPrefix("conclave: line 2: a line is longer than 64 MiB"))
      #expect(outcome.errors.contains("(published before: 1)"))
    }
  }

  /// A slow writer's lines are published when they are written, not when there are many.
  @Test(arguments: transports)
  func streamsLines(_ transport: String) throws {
    try withDirectory { directory in
      let reader = try Tool(
        ["bus", "subscribe", "--transport", transport, "--from", "beginning", "--count", "3"],
        in: directory)
      let writer = try Tool(
        [
          "bus", "publish", "t", "-s", "s", "-t", "x", "--transport", transport, "--lines",
        ], in: directory)
      try writer.type("1\n2")
      try reader.waitForOutput(lines: 1)
      #expect(try reader.output.contains(#""payload":1"#))
      try writer.type("2\n")
      try reader.waitForOutput(lines: 2)
      #expect(try reader.output.contains(#""payload":22"#))
      try writer.type("3")
      #expect(try writer.finish() == Outcome(exit: 0, output: "", errors: ""))
      #expect(try reader.finish().exit == 0)
    }
  }

  @Test(arguments: [
    (["t", "-s", "s", "-t", "x", "-p", "{"], "invalidPayload"),
    (["t", "-s", "s", "-t", "x", "-p", ""], "invalidPayload"),
    (["t", "-s", "s", "-t", "x"], "invalidPayload"),
    (["../t", "-s", "s", "-t", "x", "-p", "1"], "invalidTopic"),
    (["", "-s", "s", "-t", "x", "-p", "1"], "invalidTopic"),
    (["t", "-s", "", "-t", "x", "-p", "1"], "invalidName"),
    (["t", "-s", "s", "-t", "a\nb", "-p", "1"], "invalidName"),
    (["t", "-t", "x", "-p", "1"], "usage"), (["t", "-s", "s", "-p", "1"], "usage"),
    (["-s", "s", "-t", "x", "-p", "1"], "usage"),
    (["t", "-s", "s", "-t", "x", "-p", "1", "--lines"], "usage"),
    (["t", "-s", "s", "-t", "x", "--idempotency-key", "k", "--lines"], "usage"),
    (["t", "-s", "s", "-t", "x", "-p", "1", "--idempotency-key", ""], "invalidName"),
    (
      ["t", "-s", "s", "-t", "x", "-p", "1", "--idempotency-key", "k", "--transport", "shm"],
      "unsupported"
    ),
    (["t", "-s", "s", "-t", "x", "-p", "1", "--transport", "smoke"], "usage"),
    (["t", "-s", "s", "-t", "x", "-p", "1", "--payloda"], "usage"),
  ])
  func refusals(_ arguments: [String], _ code: String) throws {
    try withDirectory { directory in
      let text = try Tool.run(
        ["bus", "publish"] + arguments, in: directory, environment: ["BUS_TRANSPORT": "file"])
      #expect(text.exit == 2 && text.output.isEmpty)
      #expect(text.errors.hasPrefix("conclave: ") && text.errors.contains("; "))
      #expect(text.errors.split(separator: "\n").count == 1)

      let json = try Tool.run(
        ["bus", "publish"] + arguments + ["--json"], in: directory,
        environment: ["BUS_TRANSPORT": "file"])
      #expect(json.exit == 2 && json.output.isEmpty)
      #expect(json.errors.hasPrefix("{\"error\":{\"code\":\"\(code)\",\"message\":\""))
    }
  }

  @Test func whatCannotBePublishedMakesNoBus() throws {
    try withDirectory { directory in
      let outcome = try publish(directory, "file", ["--payload", "{"])
      #expect(outcome.exit == 2)
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }
  }

  @Test func invalidUTF8IsRefused() throws {
    try withDirectory { directory in
      let inArgument = try Tool.shell(
        #"conclave bus publish t -s s -t x --transport file -p "$(printf '"\377"')""#,
        in: directory)
      #expect(inArgument.exit == 2)
      #expect(inArgument.errors.contains("argument 11 is not valid UTF-8"))
      for option in ["", "--text"] {
        let inInput = try Tool.shell(
          #"printf '"\377"' | conclave bus publish t -s s -t x --transport file \#(option)"#,
          in: directory)
        #expect(inInput.exit == 2 && inInput.errors.contains("UTF-8"))
      }
    }
  }

  @Test func anUnwritableBusIsAnError() throws {
    try withDirectory { directory in
      try Data().write(to: directory.appendingPathComponent("file"))
      let outcome = try publish(directory, "file", ["--payload", "1", "--bus-dir", "file/bus"])
      #expect(outcome.exit != 0 && outcome.errors.hasPrefix("conclave: "))
    }
  }

  @Test(arguments: [("shm", SIGINT, 130), ("shm", SIGTERM, 143), ("file", SIGINT, 130)])
  func signalsEndLinesInOrder(_ transport: String, _ signal: Int32, _ exit: Int32) throws {
    for json in [false, true] {
      try withDirectory { directory in
        let command = ["bus", "publish", "t", "-s", "s", "-t", "x", "--lines"]
        let reader = try Tool(
          ["bus", "subscribe", "--transport", transport, "--from", "beginning", "--count", "3"],
          in: directory)
        let writer = try Tool(
          command + ["--transport", transport] + (json ? ["--json"] : []), in: directory)
        try writer.type("1\n2\n3\nhalf a li")
        #expect(try reader.finish().exit == 0)
        writer.send(signal)
        let outcome = try writer.finishWithoutClosingInput()
        #expect(
          outcome
            == (json
              ? Outcome(exit: exit, output: "{\"published\":3}\n", errors: "")
              : Outcome(exit: exit, output: "", errors: "conclave: published 3\n")))
        #expect(try payloads(directory, transport) == ["1", "2", "3"])
      }
    }
  }

  /// Also while it waits for a subscriber: all that it says it published arrives, and no more.
  @Test func signalsEndAWait() throws {
    try withDirectory { directory in
      let reader = try Tool(
        ["bus", "subscribe", "--policy", "back-pressure"], in: directory)
      try eventually {
        try Tool.run(["bus", "status", "--json"], in: directory).output
          .contains(#""policy":"back-pressure""#)
      }
      reader.send(SIGSTOP)
      let lines = directory.appendingPathComponent("lines")
      try Data(String(repeating: "1\n", count: 200_000).utf8).write(to: lines)
      let writer = try Tool.shell(
        """
        '\(Tool.path)' bus publish t -s s -t x --lines <lines & writer=$!
        until conclave bus status --json | grep -q '"messages":[1-9]'; do sleep 0.1; done
        kill -TERM $writer; wait $writer
        """, in: directory)
      #expect(writer.exit == 143)
      let said = try #require(writer.errors.wholeMatch(of: #/conclave: published (\d+)\n/#))
      let count = try #require(Int(said.1))
      #expect((1..<200_000).contains(count))
      reader.send(SIGCONT)
      try eventually { try reader.output.utf8.count { $0 == UInt8(ascii: "\n") } == count }
      reader.send(SIGINT)
      let outcome = try reader.finish()
      #expect(outcome.exit == 130 && outcome.errors.isEmpty)
      #expect(outcome.output.utf8.count { $0 == UInt8(ascii: "\n") } == count)
    }
  }

  /// In a git worktree the bus that is made keeps itself out of commits; nothing is overwritten.
  @Test func aNewBusIsIgnoredByGit() throws {
    try withDirectory { directory in
      func ignore(_ place: String) throws -> String? {
        let file = directory.appendingPathComponent("\(place)/.conclave/.gitignore")
        return try? String(contentsOf: file, encoding: .utf8)
      }
      let made = try Tool.shell(
        """
        mkdir -p plain repository/.git repository/sub/deep owned/.git owned/.conclave named/.git
        for each in repository owned named; do echo ref: refs/heads/main > $each/.git/HEAD; done
        say() { conclave bus publish t -s s -t x -p 1 --transport file "$@"; }
        (cd plain && say) && (cd repository/sub/deep && say) && (cd owned && say) &&
        say --bus-dir named/.conclave/bus
        """, in: directory)
      #expect(made == Outcome(exit: 0, output: "", errors: ""))
      #expect(try ignore("plain") == nil && ignore("owned") == nil)
      #expect(try ignore("repository") == "*\n" && ignore("named") == "*\n")
      let again = try Tool.shell(
        """
        echo mine > repository/.conclave/.gitignore; rm -r repository/.conclave/bus
        cd repository && conclave bus publish t -s s -t x -p 1 --transport file
        """, in: directory)
      #expect(again.exit == 0)
      #expect(try ignore("repository") == "mine\n")
    }
  }
}
