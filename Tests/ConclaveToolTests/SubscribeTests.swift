import BusTesting
import Foundation
import Testing

@Suite(.blocking) struct SubscribeTests {
  private func publish(
    _ directory: URL, _ transport: String, _ topic: String, _ payload: String
  ) throws {
    let outcome = try Tool.run(
      [
        "bus", "publish", topic, "-s", "ci", "-t", "kind", "-p", payload, "--transport", transport,
      ], in: directory)
    #expect(outcome == Outcome(exit: 0, output: "", errors: ""))
  }

  @Test(arguments: transports)
  func printsWholeEnvelopes(_ transport: String) throws {
    try withDirectory { directory in
      try publish(directory, transport, "a.b", #"{"n": 1.0, "t": "ü\u00e9"}"#)
      let outcome = try Tool.run(
        ["bus", "subscribe", "a", "--from=beginning", "-n1", "--transport", transport],
        in: directory)
      #expect(outcome.exit == 0 && outcome.errors.isEmpty)
      let line = try #require(
        outcome.output.wholeMatch(
          of: /\{"id":"(\d+)-(\d+)","seq":1,"timestamp":"(.+?)Z","sender":"ci",(.*)\}\n/))
      #expect(line.3.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}/) != nil)
      #expect(
        line.4.hasPrefix(
          #""topic":"a.b","type":"kind","payload":{"n": 1.0, "t": "ü\u00e9"}"#))
    }
  }

  /// A closed descriptor is a hole that the bus's own files must not fill: what the command says
  /// would overwrite them.
  @Test(arguments: transports, [">&-", "2>&-", "<&-"])
  func closedDescriptorsDamageNothing(_ transport: String, _ closed: String) throws {
    try withDirectory { directory in
      try publish(directory, transport, "t", "1")
      _ = try Tool.shell(
        """
        conclave bus subscribe --from beginning --timeout 100ms --transport \(transport) \(closed)
        echo bad | conclave bus publish t -s a -t k --lines --transport \(transport) \(closed)
        """, in: directory)
      try publish(directory, transport, "t", "2")
      let outcome = try Tool.run(
        ["bus", "subscribe", "--from=beginning", "-n2", "--transport", transport], in: directory)
      #expect(outcome.exit == 0 && outcome.errors.isEmpty)
      #expect(outcome.output.matches(of: /"payload":(\d)/).map(\.1) == ["1", "2"])
    }
  }

  @Test(arguments: transports)
  func countsOnlyWhatItPrints(_ transport: String) throws {
    try withDirectory { directory in
      for number in 1...5 { try publish(directory, transport, "t", "\(number)") }
      let first = try Tool.run(
        ["bus", "subscribe", "--from", "beginning", "--count", "2", "--transport", transport],
        in: directory)
      #expect(first.exit == 0)
      let lines = first.output.split(separator: "\n")
      #expect(lines.count == 2)
      let id = try #require(lines[1].firstMatch(of: /"id":"(.*?)"/)).1
      let rest = try Tool.run(
        ["bus", "subscribe", "--from", String(id), "--count", "3", "--transport", transport],
        in: directory)
      #expect(rest.exit == 0)
      #expect(rest.output.matches(of: /"payload":(\d)/).map(\.1) == ["3", "4", "5"])
    }
  }

  @Test(arguments: transports)
  func prefixesEndAtDots(_ transport: String) throws {
    try withDirectory { directory in
      for topic in ["wave-0", "wave-01", "wave-0.board"] {
        try publish(directory, transport, topic, "0")
      }
      let outcome = try Tool.run(
        [
          "bus", "subscribe", "wave-0", "--from", "beginning", "--timeout", "50ms", "--transport",
          transport,
        ], in: directory)
      #expect(outcome.exit == 4)
      let topics = outcome.output.matches(of: /"topic":"(.*?)"/).map { String($0.1) }
      #expect(topics.sorted() == ["wave-0", "wave-0.board"])
    }
  }

  @Test(arguments: transports)
  func timeOut(_ transport: String) throws {
    try withDirectory { directory in
      let text = try Tool.run(
        ["bus", "subscribe", "--timeout", "0.05", "--transport", transport], in: directory)
      #expect(
        text
          == Outcome(
            exit: 4, output: "",
            errors: "conclave: nothing arrived for 0.050 s; wait longer with --timeout, or begin "
              + "earlier with --from\n"))
      let json = try Tool.run(
        ["bus", "subscribe", "--timeout", "1ms", "--transport", transport, "--json"], in: directory)
      #expect(json.exit == 4 && json.errors.hasPrefix(#"{"error":{"code":"timeout","#))
    }
  }

  @Test(arguments: [(SIGINT, Int32(130)), (SIGTERM, Int32(143))], transports)
  func endsInOrderWhenAsked(_ asked: (signal: Int32, exit: Int32), _ transport: String) throws {
    try withDirectory { directory in
      try publish(directory, transport, "t", "1")
      let tool = try Tool(
        ["bus", "subscribe", "--from", "beginning", "--transport", transport], in: directory)
      try tool.waitForOutput(lines: 1)
      tool.send(asked.signal)
      let outcome = try tool.finish()
      #expect(outcome.exit == asked.exit && outcome.errors.isEmpty)
      #expect(outcome.output.hasSuffix("}\n"))
    }
  }

  /// Also when nothing more arrives that it could fail to write.
  @Test(arguments: transports)
  func endsWhenNobodyReads(_ transport: String) throws {
    try withDirectory { directory in
      for number in 1...3 { try publish(directory, transport, "t", "\(number)") }
      let outcome = try Tool.shell(
        """
        export BUS_TRANSPORT=\(transport)
        { conclave bus subscribe --from beginning; echo "exit $?" >&2; } | head -1
        """, in: directory)
      #expect(outcome.output.split(separator: "\n").count == 1)
      #expect(outcome.errors == "exit 141\n")
    }
  }

  /// A reader of the pipe that sleeps must not make the subscriber immortal.
  @Test(arguments: transports)
  func endsWhileThePipeIsFull(_ transport: String) throws {
    try withDirectory { directory in
      try publish(directory, transport, "t", "\"\(String(repeating: "x", count: 100_000))\"")
      let outcome = try Tool.shell(
        """
        mkfifo pipe; sleep 30 < pipe & sleeper=$!
        export BUS_TRANSPORT=\(transport)
        '\(Tool.path)' bus subscribe --from beginning > pipe & subscriber=$!
        sleep 0.3; kill -TERM $subscriber; wait $subscriber; echo $?; kill $sleeper
        """, in: directory)
      #expect(outcome.output == "143\n")
    }
  }

  @Test func ignoredSignalsStayIgnored() throws {
    try withDirectory { directory in
      let outcome = try Tool.shell(
        """
        trap '' INT
        '\(Tool.path)' bus subscribe --timeout 600ms --transport file & subscriber=$!
        sleep 0.2; kill -INT $subscriber; wait $subscriber; echo $?
        """, in: directory)
      #expect(outcome.output == "4\n")
    }
  }

  @Test func damagedLinesAreReported() throws {
    try withDirectory { directory in
      try publish(directory, "file", "t", "1")
      let file = directory.appendingPathComponent(".conclave/bus/t.jsonl")
      let handle = try FileHandle(forWritingTo: file)
      try handle.seekToEnd()
      try handle.write(contentsOf: Data("what is this?\n".utf8))
      try publish(directory, "file", "t", "2")
      let arguments = [
        "bus", "subscribe", "--from", "beginning", "--count", "2", "--transport", "file",
      ]
      let text = try Tool.run(arguments, in: directory)
      #expect(text.exit == 0 && text.output.split(separator: "\n").count == 2)
      #expect(text.errors.hasPrefix("conclave: warning: skipped a line of "))
      let json = try Tool.run(arguments + ["--json", "--strict"], in: directory)
      #expect(json.exit == 6)
      #expect(json.errors.hasPrefix(#"{"warning":{"kind":"damagedLine","message":"skipped "#))
    }
  }

  @Test(arguments: [
    ["a..b"], ["--from", "yesterday"], ["--from", "1-2-3"], ["--count", "0"], ["--count", "many"],
    ["--timeout", "soon"], ["--policy", "hoping"], ["--back-pressure-timeout", "1s"],
    ["--poll-interval", "0"], ["--poll-interval", "2s", "--poll-max-interval", "1s"], ["a", "b"],
  ])
  func refusals(_ arguments: [String]) throws {
    try withDirectory { directory in
      let outcome = try Tool.run(
        ["bus", "subscribe", "--transport", "file"] + arguments, in: directory)
      #expect(outcome.exit == 2 && outcome.output.isEmpty)
      #expect(outcome.errors.hasPrefix("conclave: ") && outcome.errors.contains("; "))
    }
  }

  @Test func environmentIsCheckedLikeOptions() throws {
    try withDirectory { directory in
      let transport = try Tool.run(
        ["bus", "subscribe"], in: directory, environment: ["BUS_TRANSPORT": "pigeon"])
      #expect(
        transport
          == Outcome(
            exit: 2, output: "",
            errors:
              "conclave: environment variable BUS_TRANSPORT is \"pigeon\"; "
              + "write shm or file or mirror\n"
          ))
      let interval = try Tool.run(
        ["bus", "subscribe", "--transport", "file"], in: directory,
        environment: ["BUS_POLL_INTERVAL": "often"])
      #expect(interval.exit == 2 && interval.errors.contains("BUS_POLL_INTERVAL"))
      // An option comes before a variable, even a bad one.
      let option = try Tool.run(
        ["bus", "subscribe", "--transport", "file", "--timeout", "1ms"], in: directory,
        environment: ["BUS_TRANSPORT": "pigeon", "BUS_POLL_INTERVAL": "50ms"])
      #expect(option.exit == 4)
    }
  }

  @Test func anUnknownIDIsNotFound() throws {
    try withDirectory { directory in
      try publish(directory, "file", "t", "1")
      let outcome = try Tool.run(
        ["bus", "subscribe", "--from", "1-1", "--transport", "file"], in: directory)
      #expect(outcome.exit == 3)
    }
  }
}
