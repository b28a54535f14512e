import BusTesting
import Foundation
import Testing

/// `bus top`: pictures of a bus, one after the other.
@Suite(.blocking) struct TopTests {
  private func publish(_ directory: URL, _ topic: String) throws {
    let outcome = try Tool.run(
      ["bus", "publish", topic, "-s", "s", "-t", "x", "-p", "1", "--durability", "mirrored"],
      in: directory)
    #expect(outcome.exit == 0, "\(outcome.errors)")
  }

  @Test func picturesBelowEachOther() throws {
    try withDirectory { directory in
      try publish(directory, "a")
      let mirror = try Tool.mirror(in: directory)
      let subscriber = try Tool(["bus", "subscribe", "a.b", "--transport", "shm"], in: directory)
      try eventually {
        try Tool.run(["bus", "status", "--json"], in: directory).output.contains(#""prefix":"a.b""#)
      }
      let top = try Tool.run(["bus", "top", "--count", "2", "--interval", "50ms"], in: directory)
      #expect(top.exit == 0 && top.errors == "")
      let pictures = top.output.split(separator: "\n\n")
      #expect(pictures.count == 2)
      for picture in pictures {
        let lines = picture.split(separator: "\n").map(String.init)
        #expect(lines[0].hasSuffix("/.conclave/bus"))
        #expect(
          lines[1] == "0.0 records per second, 0 publishing, 2 subscribed, 0 messages lost, "
            + "mirror \(mirror.pid) 0 behind")
        #expect(
          lines[2].split(separator: " ") == ["SUBSCRIBER", "BEHIND", "LOST", "POLICY", "PREFIX"])
        #expect(lines.contains { $0.hasSuffix("a.b") && $0.contains("\(subscriber.pid)") })
        #expect(lines.last.map { $0.split(separator: " ").first } == "a")
      }
      for tool in [subscriber, mirror] {
        tool.send(SIGTERM)
        #expect(try tool.finish().exit == 143)
      }
    }
  }

  @Test func aLineOfJSONEach() throws {
    try withDirectory { directory in
      try publish(directory, "a")
      let top = try Tool(["bus", "top", "--interval", "20ms", "--json"], in: directory)
      try top.waitForOutput(lines: 3)
      // It goes on when the bus is gone, and when it is back.
      let bus = directory.appendingPathComponent(".conclave")
      try FileManager.default.removeItem(at: bus)
      try eventually { try top.output.contains("\nnull\n") }
      try publish(directory, "b")
      try eventually { try top.output.contains("b.jsonl") }
      top.send(SIGINT)
      let outcome = try top.finish()
      #expect(outcome.exit == 130 && outcome.errors == "")
      for line in outcome.output.split(separator: "\n") where line != "null" {
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        #expect(object?["intervalSeconds"] is Double || object?["intervalSeconds"] is NSNull)
      }
    }
  }

  @Test func onATerminal() throws {
    try withDirectory { directory in
      for topic in 0..<30 { try publish(directory, "topic\(topic)") }
      let top = try PseudoTerminal(
        ["bus", "top", "--interval", "20ms"], in: directory, columns: 40, rows: 12)
      try top.wait { $0.contains { $0.hasSuffix("(+22)") } }
      #expect(top.text.count == 11 && top.text.allSatisfy { $0.count < 40 })
      try publish(directory, "new")
      try top.wait { $0.contains { $0.hasSuffix("(+23)") } }
      top.resize(columns: 60, rows: 40)
      try top.wait { $0.contains { $0.hasPrefix("  new ") } }
      top.interrupt()
      #expect(try top.finish() == 130)
      #expect(top.terminal.isAtFreshLine && top.terminal.unknown == [])
    }
  }

  @Test func theTasksOfARun() throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1), .init(id: 2), .init(id: 3, needs: [2])],
        agent: """
          echo $task > "new-$task"
          [ $task = task-1 ] || while ! [ -e "$home/go" ]; do sleep 0.05; done
          """)
      let run = try world.start(["--max-concurrent", "1"])
      let top = ["bus", "top", "--count", "1", "--interval", "10ms"]
      func tasks() throws -> [[String: Any]] {
        let outcome = try world.conclave(top + ["--json"])
        // The bus may still be to come.
        guard outcome.exit == 0 else { return [] }
        let line = Data(outcome.output.utf8)
        let object = try JSONSerialization.jsonObject(with: line) as? [String: Any]
        return (object?["run"] as? [String: Any])?["tasks"] as? [[String: Any]] ?? []
      }
      func statuses() throws -> [String] { try tasks().compactMap { $0["status"] as? String } }
      try eventually { try statuses() == ["passed", "running", "pending"] }
      try eventually { try tasks()[1]["gate"] as? String == "implement" }
      #expect(try tasks()[1]["iteration"] as? Int == 1)
      let lines = try world.conclave(top).output.split(separator: "\n").map { line in
        line.split(separator: " ").joined(separator: " ")
      }
      #expect(lines.contains { $0.hasSuffix("process \(run.pid): 0 of 3 merged") })
      // Those that are worked on first.
      let heading = try #require(lines.firstIndex(of: "TASK STATE FOR NEWS"))
      #expect(lines[heading + 1].wholeMatch(of: /2 implement 1\/\d+ \d+s Thing 2/) != nil)
      #expect(lines[heading + 2...heading + 3] == ["1 passed Thing 1", "3 pending Thing 3"])
      try world.write("go", "")
      #expect(try run.finish().exit == 0)
      #expect(try tasks().isEmpty)
    }
  }

  @Test(arguments: [["--interval", "0"], ["--count", "0"], ["--count", "-1"], ["--count", "x"]])
  func mistakes(_ arguments: [String]) throws {
    try withDirectory { directory in
      try publish(directory, "a")
      let outcome = try Tool.run(["bus", "top"] + arguments, in: directory)
      #expect(outcome.exit == 2 && outcome.output.isEmpty && outcome.errors.contains("; "))
    }
  }

  @Test func whereThereIsNoBus() throws {
    try withDirectory { directory in
      let outcome = try Tool.run(["bus", "top"], in: directory)
      #expect(outcome.exit == 3 && outcome.output.isEmpty && outcome.errors.contains("; "))
    }
  }
}
