import BusTesting
import Foundation
import Testing

/// A run was interrupted, and the place where it was begun is not there any more.
@Suite(.blocking) struct ParallelMovedTests {
  /// A run in `folder` that was interrupted with work on the task's branch and beside it.
  private func interrupt(_ world: ParallelWorld, in folder: URL) throws {
    try world.prepare(
      [.init(id: 1)],
      agent: """
        [ -e "$home/calm" ] && { echo >> $task; exit; }
        echo half > half; git add -A; git commit -qm half; echo precious > precious.txt
        echo > "$home/on"; sleep 600
        """)
    let tool = try Tool(world.usual, in: folder, environment: world.environment)
    try eventually { world.has("on") }
    tool.send(SIGINT)
    #expect(try tool.finish().exit == 130)
    try world.write("calm", "")
  }

  /// Nobody can go on, and everybody can begin anew.
  private func expectPutAside(_ world: ParallelWorld, _ words: String) throws {
    let journal = try world.shell("cat .conclave/parallel/*/journal.jsonl")
    for more in [["--dry-run"], []] {
      let resumed = try world.run(["--resume"] + more)
      #expect(resumed.exit == 3, "\(resumed.errors)")
      #expect(resumed.errors.contains(words) && resumed.errors.contains("--fresh"))
      #expect(!resumed.errors.contains("script"), "\(resumed.errors)")
    }
    #expect(try world.shell("cat .conclave/parallel/*/journal.jsonl") == journal)
    let doctor = try world.conclave(["doctor"])
    let lines = doctor.output.split(separator: "\n")
    #expect(lines.contains { $0.contains("was begun in") && $0.contains(words) }, "\(lines)")
    #expect(try world.run(["--dry-run", "--fresh"]).exit == 0)
    let fresh = try world.run(["--fresh"])
    #expect(fresh.exit == 0, "\(fresh.errors)")
    let kept = try world.branches.filter { $0.hasPrefix("wip/") }
    #expect(kept.count == 1 && fresh.errors.contains("kept on \(kept[0])"), "\(fresh.errors)")
    #expect(try kept.map { try world.shell("git show '\($0):half'") } == ["half"])
    #expect(try world.run().exit == 0)
  }

  private func moved(_ world: ParallelWorld) throws -> ParallelWorld {
    let top = world.home.appendingPathComponent("repo 2")
    try FileManager.default.moveItem(at: world.top, to: top)
    return ParallelWorld(home: world.home, top: top, environment: world.environment)
  }

  @Test func aRepositoryThatWasMoved() throws {
    try withParallelWorld { world in
      try interrupt(world, in: world.top)
      let moved = try moved(world)
      try expectPutAside(moved, "which is gone")
      // What was in no commit has come along.
      try moved.expectTidy(branches: ["feature", try moved.expectKept()])
    }
  }

  /// What is at the old place now is somebody else's, whatever it is called.
  @Test func anotherRepositoryInItsPlace() throws {
    try withParallelWorld { world in
      try interrupt(world, in: world.top)
      let moved = try moved(world)
      try FileManager.default.createDirectory(at: world.top, withIntermediateDirectories: true)
      _ = try world.shell("git clone -q '../repo 2' . && git branch task/1-thing-1")
      let before = try world.branches
      try expectPutAside(moved, "which is no worktree of this repository")
      #expect(try world.branches == before)
      try moved.expectTidy(branches: ["feature", try moved.expectKept()])
    }
  }

  @Test(arguments: ["remove --force", "move"])
  func aLinkedWorktree(_ way: String) throws {
    try withParallelWorld { world in
      let linked = world.home.appendingPathComponent("linked")
      _ = try world.shell("git worktree add -q -b other ../linked")
      try interrupt(world, in: linked)
      if way == "move" {
        _ = try world.shell("mv ../linked ../further")
        try expectPutAside(world, "which is gone")
        return
      }
      _ = try world.shell("git worktree \(way) ../linked")
      try expectPutAside(world, "which is gone")
      let kept = try world.branches.filter { $0.hasPrefix("wip/") }
      try world.expectTidy(branches: ["feature", "other"] + kept)
    }
  }

  @Test func aRunThatIsOverIsNotMissed() throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1)], agent: "echo > $task")
      #expect(try world.run().exit == 0)
      let moved = try moved(world)
      let doctor = try moved.conclave(["doctor"])
      #expect(!doctor.output.contains("was begun in"), "\(doctor.output)")
      try moved.setAgent("echo >> $task")
      #expect(try moved.run().exit == 0)
    }
  }
}
