import BusTesting
import ConclaveBus
import Foundation
import Testing

/// `conclave bus replay`, and subscriptions that begin at a time.
@Suite(.blocking) struct ReplayTests {
  private func replay(_ directory: URL, _ arguments: String...) throws -> Outcome {
    try Tool.run(["bus", "replay"] + arguments, in: directory)
  }

  private func publish(
    _ directory: URL, _ topic: String, _ payload: Int, _ transport: String = "mirror"
  ) throws {
    let outcome = try Tool.run(
      [
        "bus", "publish", topic, "-s", "s", "-t", "kind", "-p", "\(payload)", "--transport",
        transport,
      ], in: directory)
    #expect(outcome == Outcome(exit: 0, output: "", errors: ""))
  }

  private func payloads(_ outcome: Outcome) -> [Int] {
    outcome.output.matches(of: /"payload":(\d+)/).compactMap { Int($0.1) }
  }

  private func values(_ outcome: Outcome, _ key: String) throws -> [String] {
    try outcome.output.split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return "\(try #require(object?[key]))"
    }
  }

  /// Topics a, b.c, a, b.c ... with payloads from 0.
  private func history(_ directory: URL, _ transport: String) throws -> Outcome {
    for number in 0..<6 {
      try publish(directory, number % 2 == 0 ? "a" : "b.c", number, transport)
    }
    let all = try replay(directory)
    #expect(all.exit == 0 && all.errors.isEmpty)
    #expect(payloads(all) == Array(0..<6))
    return all
  }

  @Test(arguments: ["mirror", "file"])
  func stretches(_ transport: String) throws {
    try withDirectory { directory in
      let all = try history(directory, transport)
      let ids = try values(all, "id")
      let times = try values(all, "timestamp")
      let fast = try replay(directory, "--from", "beginning", "--speed", "max")
      #expect(payloads(fast) == Array(0..<6))
      for id in [ids[1], ids[2]] {
        let place = ids.firstIndex(of: id) ?? 0
        #expect(payloads(try replay(directory, "--from", id)) == Array(place + 1..<6))
        #expect(payloads(try replay(directory, "--to", id)) == Array(0...place))
        // Also when the topic of the bound is not asked for.
        let bs = try replay(directory, "b", "--to", id)
        #expect(payloads(bs) == [1, 3, 5].filter { $0 <= place })
        let others = try replay(directory, "a", "--from", id)
        #expect(payloads(others) == [0, 2, 4].filter { $0 > place })
      }
      #expect(payloads(try replay(directory, "--from", times[2], "--to", times[4])) == [2, 3, 4])
      #expect(payloads(try replay(directory, "--from", ids[4], "--to", ids[1])) == [])
      #expect(payloads(try replay(directory, "--from", "-1h", "--to", "-0")) == [0, 1, 2, 3, 4, 5])
      #expect(payloads(try replay(directory, "--from", "2100-01-01T00:00:00Z")) == [])
      #expect(payloads(try replay(directory, "--to", "-1h")) == [])
    }
  }

  @Test func topics() throws {
    try withDirectory { directory in
      try publish(directory, "a", 1)
      try publish(directory, "a.b", 2)
      try publish(directory, "c", 3)
      #expect(payloads(try replay(directory, "a")) == [1, 2])
      #expect(payloads(try replay(directory, "--topic", "a")) == [1])
      #expect(payloads(try replay(directory, "--topic", "none")) == [])
    }
  }

  /// What was published is on its way into the files when the command begins.
  @Test func waitsForTheMirror() throws {
    try withDirectory { directory in
      let mirror = try Tool(["bus", "mirror"], in: directory)
      try eventually { try !mirror.errors.isEmpty }
      try publish(directory, "t", 0, "shm")
      try eventually { try replay(directory).exit == 0 }
      for count in 1...10 {
        try publish(directory, "t", count, "shm")
        #expect(payloads(try replay(directory)) == Array(0...count))
      }
    }
  }

  @Test func whereThereIsNothing() throws {
    try withDirectory { directory in
      #expect(try replay(directory).exit == 3)
      try publish(directory, "t", 1, "shm")
      let outcome = try replay(directory)
      #expect(outcome.exit == 3 && outcome.errors.contains("has no topic files; "))
      try publish(directory, "t", 1)
      for option in ["--from", "--to"] {
        #expect(try replay(directory, option, "1-1").exit == 3)
      }
    }
  }

  /// At the pace of the time stamps: not before they say, whatever else goes on.
  @Test func keepsThePace() throws {
    try withDirectory { directory in
      try publish(directory, "t", 1)
      usleep(400_000)
      try publish(directory, "t", 2)
      for (speed, least) in [("1", Duration.milliseconds(400)), ("2", .milliseconds(200))] {
        let start = ContinuousClock.now
        #expect(payloads(try replay(directory, "--speed", speed)) == [1, 2])
        #expect(start.duration(to: .now) >= least)
      }
    }
  }

  /// What came before the pause is there, and a signal ends the pause.
  @Test(arguments: [[], ["--republish", "--prefix", "again"]])
  func endsInAPause(_ arguments: [String]) throws {
    try withDirectory { directory in
      try publish(directory, "t", 1)
      usleep(200_000)
      try publish(directory, "t", 2)
      let tool = try Tool(
        ["bus", "replay", "t", "--speed", "0.00001"] + arguments, in: directory)
      if arguments.isEmpty {
        try tool.waitForOutput(lines: 1)
      } else {
        try eventually { payloads(try replay(directory, "again")) == [1] }
      }
      tool.send(SIGINT)
      let outcome = try tool.finish()
      #expect(outcome.exit == 130)
      #expect(outcome.errors == (arguments.isEmpty ? "" : "conclave: republished 1\n"))
      #expect(payloads(outcome) == (arguments.isEmpty ? [1] : []))
    }
  }

  @Test(arguments: ["mirror", "file"])
  func publishesAnew(_ transport: String) throws {
    try withDirectory { directory in
      let all = try history(directory, transport)
      let told = try replay(
        directory, "--republish", "--prefix", "again", "--transport", transport, "--json")
      #expect(told == Outcome(exit: 0, output: "{\"republished\":6}\n", errors: ""))
      let again = try replay(directory, "again")
      #expect(payloads(again) == Array(0..<6))
      #expect(try values(again, "topic") == values(all, "topic").map { "again.\($0)" })
      for key in ["sender", "type"] { #expect(try values(again, key) == values(all, key)) }
      #expect(try Set(values(again, "id") + values(all, "id")).count == 12)

      // On the same topics it ends where the files ended.
      let text = try replay(directory, "again", "--republish", "--transport", transport)
      #expect(text == Outcome(exit: 0, output: "", errors: "conclave: republished 6\n"))
      #expect(payloads(try replay(directory, "again")) == Array(0..<6) + Array(0..<6))
    }
  }

  @Test func aTopicThatBecomesTooLong() throws {
    try withDirectory { directory in
      try publish(directory, String(repeating: "x", count: 150), 1)
      let prefix = String(repeating: "y", count: 100)
      let outcome = try replay(directory, "--republish", "--prefix", prefix)
      #expect(outcome.exit == 2 && outcome.errors.contains("(published before: 0)"))
    }
  }

  @Test(arguments: [
    ["a", "--topic", "b"], ["--speed", "0"], ["--speed", "fast"], ["--speed", "-1"],
    ["--speed", "inf"], ["--speed", "nan"], ["--from", "now"], ["--to", "beginning"],
    ["--to", "10m"], ["--prefix", "x"], ["--durability", "synced"], ["--transport", "mirror"],
    ["--republish", "--prefix", "a..b"],
    ["--republish", "--transport", "shm", "--durability", "synced"],
  ])
  func mistakes(_ arguments: [String]) throws {
    try withDirectory { directory in
      try publish(directory, "t", 1, "file")
      let outcome = try Tool.run(["bus", "replay"] + arguments, in: directory)
      #expect(outcome.exit == 2 && outcome.output.isEmpty)
      #expect(outcome.errors.hasPrefix("conclave: ") && outcome.errors.contains("; "))
    }
  }

  // MARK: Subscriptions

  @Test(arguments: ["mirror", "file"])
  func subscriptionsBeginAtATime(_ transport: String) throws {
    try withDirectory { directory in
      let all = try history(directory, transport)
      let times = try values(all, "timestamp")
      for (from, expected) in [(times[3], [3, 4, 5]), ("-1h", [0, 1, 2, 3, 4, 5])] {
        let outcome = try Tool.run(
          [
            "bus", "subscribe", "--from", from, "--count", "\(expected.count)", "--transport",
            transport,
          ], in: directory)
        #expect(outcome.exit == 0 && payloads(outcome) == expected)
      }
    }
  }

  @Test func theRingHasNoTimes() throws {
    try withDirectory { directory in
      let outcome = try Tool.run(
        ["bus", "subscribe", "--from", "-1h", "--transport", "shm"], in: directory)
      #expect(outcome.exit == 2 && outcome.output.isEmpty)
    }
  }
}
