import BusTesting
import Foundation
import Testing

/// Runs without waves that are interrupted, killed, and gone on with.
@Suite(.heavy, .blocking) struct ParallelEagerKillTests {
  /// How many records the journal of ``ParallelEagerTests/tasks`` has, which is always the same,
  /// since its agents wait for each other.
  private static let records = 25

  private static let arguments = [
    "--schedule", "eager", "--skip-spec", "--json", "--implement-timeout", "600s",
  ]

  private func expectAll(
    _ world: ParallelWorld, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let names = (1...5).map { "task-\($0)" }
    #expect(
      try world.shell("git ls-tree --name-only feature")
        == (names + ["test.sh", "work"]).joined(
          separator: "\n"), sourceLocation: sourceLocation)
    #expect(
      try world.shell("cat task-*; git log --merges --oneline") == names.joined(separator: "\n"),
      sourceLocation: sourceLocation)
    #expect(try world.subjects.count == 6, sourceLocation: sourceLocation)
    try world.expectTidy(
      branches: world.branches.filter { !$0.hasPrefix("task/") }, sourceLocation: sourceLocation)
  }

  @Test func whatIsWrittenDown() throws {
    try withParallelWorld { world in
      try world.prepare(ParallelEagerTests.tasks, agent: ParallelEagerTests.script)
      let outcome = try world.run(ParallelEagerKillTests.arguments)
      #expect(outcome.exit == 0, "\(outcome.errors)")
      let journal = try #require(try world.summary(outcome)["journal"] as? String)
      let text = try String(contentsOfFile: journal, encoding: .utf8)
      let records = text.split(separator: "\n")
      #expect(records.count == ParallelEagerKillTests.records)
      #expect(records.first?.contains("\"schedule\":\"eager\"") == true)
      try expectAll(world)
    }
  }

  /// Wherever it is killed, the next one ends with the same files, and leaves nothing else.
  @Test(.enabled("only a debug build kills itself") { isDebugBuild }, arguments: 1...records)
  func killedAtEachRecord(_ record: Int) throws {
    try withParallelWorld { world in
      try world.prepare(ParallelEagerTests.tasks, agent: ParallelEagerTests.script)
      let point = "\(record % 2 == 0 ? "after" : "before") \(record)"
      let killed = try world.run(
        ParallelEagerKillTests.arguments, ["CONCLAVE_FLEET_KILL": point])
      #expect(killed.exit == -SIGKILL, "\(killed.errors)")
      let resumed =
        try world.hasRun ? world.resume() : world.run(ParallelEagerKillTests.arguments)
      #expect(resumed.exit == 0, "\(resumed.errors)\(resumed.output)")
      try expectAll(world)
    }
  }

  /// What was said before a kill is told to those that begin after it; and a run goes on as it was
  /// begun, whatever is usual now.
  @Test(.enabled("only a debug build kills itself") { isDebugBuild })
  func whatWasSaidIsHandedOn() throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1), .init(id: 2), .init(id: 3, needs: [1])],
        agent: """
          \(ParallelEagerTests.functions)
          case $task in
          task-1) echo '<!-- BUS:warning -->the disk is slow<!-- /BUS -->';;
          task-2) until_has task-3;;
          esac
          echo > $task
          """)
      // began, wave_began, started twice, ended, publishing, published
      let killed = try world.run(
        ParallelEagerKillTests.arguments, ["CONCLAVE_FLEET_KILL": "after 7"])
      #expect(killed.exit == -SIGKILL && !world.has("prompt-task-3-1"))
      let other = try world.resume(["--schedule", "wave"])
      #expect(other.exit == 5 && other.errors.contains("was begun with --schedule eager"))
      let resumed = try world.resume([], ["PARALLEL_SCHEDULE": "wave"])
      #expect(resumed.exit == 0, "\(resumed.errors)")
      #expect(world.read("prompt-task-3-1").contains("the disk is slow"))
      try world.expectTidy()
    }
  }

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func signalsEndEverything(_ signal: Int32, _ code: Int32) throws {
    try withParallelWorld { world in
      try world.prepare(
        ParallelEagerTests.tasks,
        agent: """
          if [ $task != task-1 ] && [ ! -e "$home/calm" ]; then
            trap '' TERM INT
            echo half > half-$task
            (setsid env -i /bin/sh -c 'trap "" TERM; echo $$ > "$0"; while :; do sleep 1; done' \\
              "$home/daemon-$task" &)
            while :; do sleep 1; done
          fi
          \(ParallelEagerTests.script)
          """)
      let tool = try world.start(["--schedule", "eager"])
      let names = ["daemon-task-2", "daemon-task-3"]
      try eventually { names.allSatisfy { world.read($0).hasSuffix("\n") } }
      tool.send(signal)
      let outcome = try tool.finish()
      #expect(outcome.exit == code && outcome.errors.contains("go on with --resume"))
      for name in names {
        let pid = try #require(Int32(world.read(name).dropLast()))
        #expect(kill(pid, 0) == -1)
      }
      #expect(world.members == [])
      #expect(try world.shell("ls .worktrees") == "task-2-thing-2\ntask-3-thing-3")
      try world.write("calm", "")
      let resumed = try world.resume()
      #expect(resumed.exit == 0, "\(resumed.errors)")
      #expect(try world.shell("cat half-task-2 half-task-3 task-5") == "half\nhalf\ntask-5")
      try world.expectTidy()
    }
  }
}
