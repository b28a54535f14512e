import BusTesting
import Foundation
import Testing

@testable import ConclaveTool

/// The live view of the command itself, on a terminal.
@Suite(.blocking) struct LiveViewTests {
  @Test func aRunOnATerminal() throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1), .init(id: 2)],
        agent: "echo > $task; while [ ! -e \"$home/go\" ]; do sleep 0.01; done")
      let console = try PseudoTerminal(
        world, columns: 60, rows: 20, ["PARALLEL_MAX_CONCURRENT": "1"])
      try console.wait { $0.contains { $0.hasPrefix(" 1  implement 1/5 ") } }
      #expect(console.text.contains { $0.hasPrefix(" 2  waiting ") })
      #expect(console.raw.contains("\u{1B}[2m 2  waiting "))
      #expect(console.text.contains { $0.hasPrefix("wave 0 (1 in all), 0 of 2 merged, ") })
      console.resize(columns: 20, rows: 9)
      try console.wait { $0.contains("wave 0 (1 in all),…") }
      #expect(console.text.count { $0.hasPrefix(" 1  implement") } == 1)
      try Data().write(to: world.home.appendingPathComponent("go"))
      #expect(try console.finish() == 0)
      let all = console.terminal.text
      #expect(!all.contains { $0.hasPrefix(" 1  ") || $0.hasPrefix("wave 0 (1 in all), ") })
      #expect(console.raw.contains("2 of 2 tasks are merged into feature"))
      #expect(console.terminal.isAtFreshLine && console.terminal.unknown == [])
    }
  }

  @Test func withoutColours() throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1)], agent: "echo > $task")
      let console = try PseudoTerminal(world, columns: 80, rows: 20, ["NO_COLOR": "1"])
      #expect(try console.finish() == 0)
      #expect(console.raw.contains("\u{1B}[J") && !console.raw.contains("m 1  "))
      // A terminal that cannot move its cursor gets lines, with the time.
      try world.write("plan.md", ParallelWorld.plan([.init(id: 2)]))
      let dumb = try PseudoTerminal(world, columns: 80, rows: 20, ["TERM": "dumb"])
      #expect(try dumb.finish() == 0)
      #expect(!dumb.raw.contains("\u{1B}"))
      #expect(
        dumb.raw.contains(/20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ   task 2: begins in\ /))
    }
  }

  @Test func afterCtrlC() throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1)], agent: "echo > $task; sleep 600")
      let console = try PseudoTerminal(world, columns: 60, rows: 20)
      try console.wait { $0.contains { $0.hasPrefix(" 1  implement 1/5 ") } }
      console.interrupt()
      #expect(try console.finish() == 130)
      #expect(!console.terminal.text.contains { $0.hasPrefix(" 1  ") })
      #expect(console.terminal.isAtFreshLine)
      #expect(console.raw.contains("parallel-run: interrupted"))
    }
  }
}

extension PseudoTerminal {
  fileprivate convenience init(
    _ world: ParallelWorld, columns: Int, rows: Int, _ more: [String: String] = [:]
  ) throws {
    try self.init(
      world.usual, in: world.top, environment: world.environment.merging(more) { $1 },
      columns: columns, rows: rows)
  }
}
