import BusTesting
import Foundation
import Glibc
import Testing

/// What hinders a run that goes on, or all of its tasks alike.
@Suite(.blocking) struct ParallelHindranceTests {
  private static let two: [ParallelWorld.Task] = [.init(id: 1), .init(id: 2, needs: [1])]

  /// A run of ``two`` that was interrupted while its first task was worked on.
  private func interrupt(_ world: ParallelWorld) throws {
    try world.prepare(
      ParallelHindranceTests.two,
      agent: "[ -e \"$home/calm\" ] || { echo half > half; echo > \"$home/on\"; sleep 600; }; "
        + "echo > $task")
    let tool = try world.start()
    try eventually { world.has("on") }
    tool.send(SIGINT)
    #expect(try tool.finish().exit == 130)
    try world.write("calm", "")
  }

  @Test func whatGoesOnNeedsItsAgentToo() throws {
    try withParallelWorld { world in
      try interrupt(world)
      let before = try world.shell("cat .conclave/parallel/*/journal.jsonl")
      try world.write("agent.json", "{\"command\":[\"\(world.home.path)/gone\"]}")
      let refused = try world.resume()
      #expect(refused.exit == 3 && refused.errors.contains("/gone"), "\(refused.errors)")
      #expect(try world.shell("cat .conclave/parallel/*/journal.jsonl") == before)
      try world.write("agent.json", "{\"command\":[\"/bin/sh\",\"\(world.home.path)/agent.sh\"]}")
      let resumed = try world.resume(["--json"])
      #expect(try world.statuses(resumed) == ["merged", "merged"], "\(resumed.errors)")
      try world.expectTidy()
    }
  }

  @Test func whoIsNotLoggedInStopsTheRun() throws {
    try withParallelWorld { world in
      try world.prepare(
        (1...3).map { .init(id: $0, needs: $0 == 3 ? [1] : []) },
        agent: "[ -e \"$home/key\" ] || { echo 'Invalid API key · Please run /login'; exit 1; }; "
          + "echo > $task")
      let outcome = try world.run(["--json", "--max-concurrent", "1"])
      #expect(outcome.exit == 7, "\(outcome.errors)")
      #expect(try world.statuses(outcome) == ["interrupted", "pending", "pending"])
      let words = try world.run(["--resume"])
      #expect(words.errors.contains("not logged in") && words.errors.contains("--resume"))
      try world.write("key", "")
      let resumed = try world.resume(["--json"])
      #expect(try world.statuses(resumed) == ["merged", "merged", "merged"], "\(resumed.errors)")
      try world.expectTidy()
    }
  }

  /// A failure of one task that speaks of logins is no reason to stop the others.
  @Test func aFailureThatSpeaksOfLoginsStopsNothing() throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1), .init(id: 2)],
        agent: "[ $task = task-2 ] || { echo 'got 401 Unauthorized'; exit 1; }; echo > $task")
      let outcome = try world.run(["--json", "--max-concurrent", "1", "--max-iterations", "1"])
      #expect(outcome.exit == 1, "\(outcome.errors)")
      #expect(try world.statuses(outcome) == ["failed", "merged"])
    }
  }

  /// A file system of its own is full before the first task has ended.
  @Test(.enabled("only root may mount") { geteuid() == 0 })
  func aFullDiskStopsTheRun() throws {
    try withParallelWorld { world in
      let trees = world.home.appendingPathComponent("trees").path
      try FileManager.default.createDirectory(atPath: trees, withIntermediateDirectories: true)
      guard unsafe mount("tmpfs", trees, "tmpfs", 0, "size=24m,mode=0700") == 0 else { return }
      defer { unsafe umount2(trees, Int32(MNT_DETACH)) }
      try world.prepare(
        [.init(id: 1), .init(id: 2, needs: [1]), .init(id: 3)],
        agent: """
          [ -e "$home/calm" ] || head -c 50000000 /dev/zero > fill 2> /dev/null
          echo > $task
          """)
      let options = ["--json", "--worktree-dir", trees, "--max-concurrent", "1"]
      let outcome = try world.run(options)
      #expect(outcome.exit == 8, "\(outcome.errors)")
      #expect(try world.statuses(outcome) == ["interrupted", "pending", "pending"])
      try world.write("calm", "")
      _ = try world.shell("rm '\(trees)'/*/fill")
      let resumed = try world.resume(["--json"])
      #expect(
        try world.statuses(resumed) == ["merged", "merged", "merged"], "\(resumed.errors)")
    }
  }

  @Test func aDamagedJournalIsNoReasonToBeStuck() throws {
    try withParallelWorld { world in
      try interrupt(world)
      let journal = try world.shell("ls .conclave/parallel/*/journal.jsonl")
      let line = try world.shell("head -c 1 '\(journal)' > /dev/null; wc -l < '\(journal)'")
      #expect(line != "0")
      // Once a record in between, once all that says what run it was.
      for damage in ["sed -i '2s/.*/damaged/'", "sed -i 's/^/damaged/'"] {
        _ = try world.shell("\(damage) '\(journal)'")
        let refused = try world.run()
        #expect(refused.exit == 6 && refused.errors.contains("--fresh"), "\(refused.errors)")
      }
      let fresh = try world.run(["--fresh"])
      #expect(fresh.exit == 0, "\(fresh.errors)")
      let kept = try world.branches.filter { $0.hasPrefix("wip/") }
      #expect(try kept.map { try world.shell("git show '\($0):half'") } == ["half"])
      try world.expectTidy(branches: ["feature"] + kept)
    }
  }

  @Test func aBranchThatWasRenamed() throws {
    try withParallelWorld { world in
      try interrupt(world)
      _ = try world.shell("git branch -m feature other")
      let before = try world.shell("cat .conclave/parallel/*/journal.jsonl")
      let refused = try world.resume()
      #expect(refused.exit == 3 && refused.errors.contains("branch feature"), "\(refused.errors)")
      #expect(refused.errors.contains("git branch"))
      #expect(try world.shell("cat .conclave/parallel/*/journal.jsonl") == before)
      _ = try world.shell("git branch -m other feature")
      #expect(try world.resume().exit == 0)
    }
  }

  @Test func aBranchThatIsRenamedMeanwhile() throws {
    try withParallelWorld { world in
      try world.prepare(
        ParallelHindranceTests.two,
        agent: "git -C \"$home/repo ü\" branch -m feature other || true; echo > $task")
      let outcome = try world.run()
      #expect(outcome.exit == 3 && outcome.errors.contains("branch feature"), "\(outcome.errors)")
      _ = try world.shell("git branch -m other feature")
      try world.setAgent("echo > $task")
      #expect(try world.resume().exit == 0)
    }
  }

  @Test func whatHindersIsSaidBeforeAnythingIsWritten() throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1), .init(id: 2)], agent: "echo > $task")
      func refusals(_ words: String) throws {
        for more in [["--dry-run"], []] {
          let outcome = try world.run(more)
          #expect(outcome.exit == 5 && outcome.errors.contains(words), "\(outcome.errors)")
        }
        #expect(try world.shell("ls -A").contains(".conclave") == false)
        #expect(try world.shell("cat .git/info/exclude").contains("conclave") == false)
      }
      _ = try world.shell("git branch task/2-thing-2")
      try refusals("there is a branch task/2-thing-2 already")
      _ = try world.shell("git branch -D task/2-thing-2")
      _ = try world.shell("mkdir -p .worktrees/task-1-thing-1/x")
      try refusals("there is something at")
      _ = try world.shell("rm -r .worktrees")
      let tool = try {
        try world.setAgent("echo > \"$home/on\"; sleep 600")
        return try world.start()
      }()
      try eventually { world.has("on") }
      for more in [["--dry-run"], []] {
        let outcome = try world.run(more)
        #expect(outcome.exit == 5 && outcome.errors.contains("(process \(tool.pid))"))
      }
      tool.send(SIGINT)
      _ = try tool.finish()
      let open = try world.run(["--dry-run"])
      #expect(open.exit == 5 && open.errors.contains("is not over"), "\(open.errors)")
      #expect(try world.run(["--dry-run", "--fresh"]).exit == 0)
      try world.setAgent("echo > $task")
      #expect(try world.run(["--fresh"]).exit == 0)
    }
  }
}
