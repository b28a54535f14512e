import BusTesting
import Foundation
import Testing

/// What publishers and a subscriber that stands still say to each other's users.
@Suite(.blocking) struct SlowSubscriberTests {
  private static let lines = (1...20_000).map { "\($0)\n" }.joined()

  /// A subscriber that has received one message and is then stopped.
  private func stoppedSubscriber(_ directory: URL, _ arguments: [String]) throws -> Tool {
    let tool = try Tool(["bus", "subscribe"] + arguments, in: directory)
    try eventually {
      try Tool.run(["bus", "status", "--interval", "0"], in: directory).output.contains(
        "subscribers  1 live")
    }
    #expect(try publish(directory, "0\n").exit == 0)
    try tool.waitForOutput(lines: 1)
    tool.send(SIGSTOP)
    return tool
  }

  private func publish(_ directory: URL, _ lines: String) throws -> Outcome {
    try Tool.run(
      ["bus", "publish", "t", "-s", "s", "-t", "x", "--lines", "--json"], in: directory,
      input: lines)
  }

  @Test func lossesAreReported() throws {
    try withDirectory { directory in
      let subscriber = try stoppedSubscriber(directory, ["--json"])
      #expect(try publish(directory, Self.lines).output == "{\"published\":20000}\n")
      subscriber.send(SIGCONT)
      try eventually { try subscriber.output.contains("\"payload\":20000") }
      subscriber.send(SIGINT)
      let outcome = try subscriber.finish()
      #expect(outcome.exit == 130)
      let received = outcome.output.split(separator: "\n").count
      let notes = outcome.errors.split(separator: "\n")
      let lost = notes.compactMap { $0.firstMatch(of: /^{"gap":{.*"count":(\d+),/) }
        .compactMap { Int($0.1) }
      #expect(!lost.isEmpty)
      // Counted once each: the first message, what came, and what did not.
      #expect(received + lost.reduce(0, +) == 20_001)
      #expect(notes.contains { $0.hasPrefix(#"{"warning":{"kind":"overrun","message":"#) })
    }
  }

  @Test func lossesInWords() throws {
    try withDirectory { directory in
      let subscriber = try stoppedSubscriber(directory, ["-n", "2", "--strict"])
      #expect(try publish(directory, Self.lines).exit == 0)
      subscriber.send(SIGCONT)
      let outcome = try subscriber.finish()
      #expect(outcome.exit == 6)
      #expect(
        outcome.errors.contains(
          /conclave: gap: \d+ messages of "s" on t lost \(seq 1 to \d+, overrun\)\n/))
      #expect(outcome.errors.contains("conclave: warning: this subscriber is too slow"))
    }
  }

  @Test func publishersGiveUpInTime() throws {
    try withDirectory { directory in
      let subscriber = try stoppedSubscriber(
        directory, ["--policy", "back-pressure", "--back-pressure-timeout", "50ms", "-n", "20001"])
      var published = try publishedUntilRefused(directory, 20_000)
      #expect((1..<20_000).contains(published))

      subscriber.send(SIGCONT)
      // On a busy machine it may be too slow again.
      try eventually {
        published += try publishedUntilRefused(directory, 20_000 - published)
        return published == 20_000
      }
      let outcome = try subscriber.finish()
      #expect(outcome.exit == 0 && outcome.errors.isEmpty)
      #expect(outcome.output.split(separator: "\n").count == 20_001)
    }
  }

  /// How many of `count` messages were published before one had to wait for too long.
  private func publishedUntilRefused(_ directory: URL, _ count: Int) throws -> Int {
    let outcome = try publish(directory, String(repeating: "1\n", count: count))
    if outcome.exit == 0 { return count }
    #expect(outcome.exit == 4 && outcome.output.isEmpty)
    let published = try #require(
      outcome.errors.firstMatch(
        of: /^{"error":{"code":"backPressureTimedOut",.*"published":(\d+)}}\n$/))
    return try #require(Int(published.1))
  }
}
