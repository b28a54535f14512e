import BusTesting
import Foundation
import Testing

/// `conclave bus subscribe --durable`.
@Suite(.blocking) struct DurableSubscribeTests {
  private let arguments = ["bus", "subscribe", "t", "--durable", "n"]

  private func publish(_ payloads: [String], in directory: URL) throws {
    for payload in payloads {
      let outcome = try Tool.run(
        ["bus", "publish", "t", "-s", "a", "-t", "k", "-p", payload], in: directory)
      #expect(outcome == Outcome(exit: 0, output: "", errors: ""))
    }
  }

  private func payloads(_ output: String) -> [String] {
    output.matches(of: /"payload":(\d+).*"redelivered":(true|false),"attempt":(\d)\}\n/).map {
      "\($0.1) \($0.2) \($0.3)"
    }
  }

  /// Makes the name, so that it begins here.
  private func begin(in directory: URL) throws {
    let outcome = try Tool.run(arguments + ["--timeout", "100ms"], in: directory)
    #expect(outcome.exit == 4 && outcome.output.isEmpty)
    // It is the mirror, too, which is of no interest to who only wants to read.
    #expect(outcome.errors.hasPrefix("conclave: nothing arrived for 0.100 s; "))
  }

  @Test func whatIsPrintedDoesNotComeAgain() throws {
    try withDirectory { directory in
      try begin(in: directory)
      try publish(["1", "2", "3"], in: directory)
      var outcome = try Tool.run(arguments + ["-n2"], in: directory)
      #expect(outcome.exit == 0)
      #expect(payloads(outcome.output) == ["1 false 1", "2 false 1"])
      outcome = try Tool.run(arguments + ["-n1", "--from", "beginning"], in: directory)
      #expect(outcome.exit == 0)
      #expect(payloads(outcome.output) == ["3 false 1"])
      try begin(in: directory)
    }
  }

  @Test func linesAcknowledge() throws {
    try withDirectory { directory in
      try begin(in: directory)
      try publish(["1", "2", "3", "4"], in: directory)
      let manual = try Tool(arguments + ["--ack", "manual"], in: directory)
      try manual.waitForOutput(lines: 4)
      let output = try manual.output
      let ids = output.matches(of: /"id":"(\d+-\d+)"/).map { String($0.1) }
      let positions = output.matches(of: /"position":(\d+)/).map { String($0.1) }
      try #require(ids.count == 4 && positions.count == 4)
      try manual.type("\(ids[1])\n\(positions[2])\nnonsense\n\(ids[1])\n")
      let outcome = try manual.finish()
      #expect(outcome.exit == 0)
      #expect(outcome.errors.contains("\"nonsense\" is not to be acknowledged"))
      #expect(outcome.errors.contains("\"\(ids[1])\" is not to be acknowledged"))
      let rest = try Tool.run(arguments + ["-n2"], in: directory)
      #expect(payloads(rest.output) == ["1 true 2", "4 true 2"])
    }
  }

  @Test func aCountEndsWhenAllAreAcknowledged() throws {
    try withDirectory { directory in
      try begin(in: directory)
      try publish(["1", "2"], in: directory)
      let manual = try Tool(arguments + ["--ack=manual", "-n1"], in: directory)
      try manual.waitForOutput(lines: 1)
      let output = try manual.output
      let id = try #require(output.firstMatch(of: /"id":"(\d+-\d+)"/)).1
      try manual.type("\(id)\n")
      #expect(try manual.finishWithoutClosingInput().exit == 0)
    }
  }

  @Test func wrongUseIsExplained() throws {
    try withDirectory { directory in
      for (wrong, word) in [
        (["--ack", "auto"], "--durable"), (["--durable", "a/b"], "malformed"),
        (["--durable", "a", "--ack", "never"], "manual"),
        (["--durable", "a", "--transport", "file"], "--transport"),
      ] {
        let outcome = try Tool.run(["bus", "subscribe"] + wrong, in: directory)
        #expect(outcome.exit == 2 && outcome.errors.contains(word), "\(outcome)")
      }
      try begin(in: directory)
      let other = try Tool.run(["bus", "subscribe", "u", "--durable", "n"], in: directory)
      #expect(other.exit == 5 && other.errors.contains("prefix"))
    }
  }
}
