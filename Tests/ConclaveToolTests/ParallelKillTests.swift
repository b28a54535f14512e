import BusTesting
import Foundation
import SharedRing
import Testing

/// Runs of plans that are interrupted, killed, and gone on with.
@Suite(.heavy, .blocking) struct ParallelKillTests {
  /// Two waves, and in the first a conflict, so that every kind of step happens.
  private static let tasks: [ParallelWorld.Task] = [
    .init(id: 1), .init(id: 2), .init(id: 3, needs: [1, 2]),
  ]
  private static let script = """
    case $task in
    task-1|task-2) grep -q $task work || echo $task >> work;;
    *) echo $task > $task;;
    esac
    """

  /// What a run makes that nobody disturbs.
  private static func undisturbed() throws -> (tree: String, records: Int) {
    var result = (tree: "", records: 0)
    try withParallelWorld { world in
      try world.prepare(tasks, agent: script)
      let outcome = try world.run(["--json", "--skip-spec"])
      #expect(outcome.exit == 0, "\(outcome.errors)")
      let journal = try #require(try world.summary(outcome)["journal"] as? String)
      let text = try String(contentsOfFile: journal, encoding: .utf8)
      result = (try world.tree, text.split(separator: "\n").count)
    }
    return result
  }

  /// Wherever it is killed, the next one ends with the same files, and leaves nothing else.
  @Test(.enabled("only a debug build kills itself") { isDebugBuild })
  func killedAtEachStep() throws {
    let (tree, records) = try ParallelKillTests.undisturbed()
    #expect(records > 20)
    // Before a record is after what it tells of, and so after the record before, most of the time.
    let points =
      (1...records).map { "before \($0)" }
      + stride(from: 1, through: records, by: 3).map { "after \($0)" } + ["after \(records)"]
    let failures = try inParallel(points) { point in
      var failure: String?
      try withParallelWorld { world in
        try world.prepare(ParallelKillTests.tasks, agent: ParallelKillTests.script)
        let killed = try world.run(["--skip-spec"], ["CONCLAVE_FLEET_KILL": point])
        if killed.exit != -SIGKILL { failure = "was not killed: \(killed.errors)" }
        // The first record is what makes it a run, and after the last one it is over.
        let resumed = try world.hasRun ? world.resume() : world.run(["--skip-spec"])
        if resumed.exit != (point == "after \(records)" ? 3 : 0) {
          failure = "\(resumed.exit) \(resumed.output) \(resumed.errors)"
        } else if try world.tree != tree {
          failure = "another tree: \(try world.shell("git log -p"))"
        }
        try world.expectTidy(branches: world.branches.filter { !$0.hasPrefix("task/") })
      }
      return failure.map { "\(point): \($0)" }
    }
    #expect(failures == [])
  }

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func signalsEndEverything(_ signal: Int32, _ code: Int32) throws {
    try withParallelWorld { world in
      // A daemon without any mark, and deaf: only its descent gives it away.
      try world.prepare(
        ParallelKillTests.tasks,
        agent: """
          [ -e "$home/calm" ] && { echo $task > $task; exit; }
          trap '' TERM INT
          (setsid env -i /bin/sh -c 'trap "" TERM; echo $$ > "$0"; while :; do sleep 1; done' \
            "$home/daemon-$task" &)
          echo half > half-$task
          while :; do sleep 1; done
          """)
      let tool = try world.start()
      let names = ["daemon-task-1", "daemon-task-2"]
      try eventually { names.allSatisfy { world.read($0).hasSuffix("\n") } }
      tool.send(signal)
      let outcome = try tool.finish()
      #expect(outcome.exit == code && outcome.errors.contains("go on with --resume"))
      for name in names {
        let pid = try #require(Int32(world.read(name).dropLast()))
        #expect(kill(pid, 0) == -1)
      }
      #expect(world.members == [])
      let bus = try FileManager.default.contentsOfDirectory(
        atPath: world.top.path + "/.conclave/bus")
      #expect(bus.filter { $0.hasPrefix("wave") } == [])
      // Work is kept where it is.
      #expect(try world.shell("ls .worktrees") == "task-1-thing-1\ntask-2-thing-2")
      #expect(try world.shell("git status --porcelain") == "")

      try world.write("calm", "")
      let resumed = try world.resume()
      #expect(resumed.exit == 0, "\(resumed.errors)")
      #expect(try world.shell("ls half-task-1 task-1 task-3").contains("half-task-1"))
      try world.expectTidy()
    }
  }

  @Test func aSecondSignalEndsAtOnce() throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1)],
        agent: """
          trap '' TERM INT; echo $$ > "$home/pid"; while :; do sleep 1; done
          """)
      let tool = try world.start()
      try eventually { world.read("pid").hasSuffix("\n") }
      let pid = try #require(Int32(world.read("pid").dropLast()))
      tool.send(SIGINT)
      tool.send(SIGINT)
      #expect(try tool.finish().exit == 130)
      try eventually { kill(pid, 0) == -1 && world.members == [] }
    }
  }

  /// Its loops end with it, and with them their agents.
  @Test func aKilledRunLeavesNobody() throws {
    try withParallelWorld { world in
      try world.prepare(
        ParallelKillTests.tasks,
        agent: """
          [ -e "$home/calm" ] && { echo $task > $task; exit; }
          echo $$ > "$home/pid-$task"; sleep 600; sleep 600
          """)
      let tool = try world.start()
      let names = ["pid-task-1", "pid-task-2"]
      try eventually { names.allSatisfy { world.read($0).hasSuffix("\n") } }
      tool.send(SIGKILL)
      #expect(try tool.finish().exit == -SIGKILL)
      try eventually { world.members == [] }
      try world.write("calm", "")
      let resumed = try world.resume()
      #expect(resumed.exit == 0, "\(resumed.errors)")
      #expect(resumed.errors.contains("archived the board in"))
      try world.expectTidy()
    }
  }

  /// Everything at once: then nobody could end the agents, and the next run does.
  @Test func agentsWhoseLoopWasKilledAreEnded() throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1)],
        agent: """
          [ -e "$home/calm" ] && { echo $task > $task; exit; }
          echo $$ $PPID > "$home/pids"; sleep 600; sleep 600
          """)
      let tool = try world.start()
      try eventually { world.read("pids").hasSuffix("\n") }
      let pids = world.read("pids").dropLast().split(separator: " ").compactMap { Int32($0) }
      kill(tool.pid, SIGSTOP)
      kill(pids[1], SIGKILL)
      tool.send(SIGKILL)
      _ = try tool.finish()
      #expect(world.members != [])
      try world.write("calm", "")
      let resumed = try world.resume()
      #expect(resumed.exit == 0 && resumed.errors.contains("that a killed run had left"))
      try eventually { kill(pids[0], 0) == -1 }
      try world.expectTidy()
    }
  }

  @Test func whoBeginsAnewKeepsTheWork() throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1), .init(id: 2)],
        agent: """
          [ -e "$home/calm" ] && { echo $task > $task; exit; }
          echo half > half-$task; echo > "$home/on-$task"; sleep 600
          """)
      let tool = try world.start()
      try eventually { world.has("on-task-1") && world.has("on-task-2") }
      #expect(try world.run().errors.contains("another plan is carried out in this repository"))
      tool.send(SIGKILL)
      _ = try tool.finish()
      try world.write("calm", "")
      let refused = try world.run()
      #expect(refused.exit == 5 && refused.errors.contains("is not over: it was killed"))
      #expect(refused.errors.contains("at work on task 1, 2"))
      let fresh = try world.run(["--fresh"])
      #expect(fresh.exit == 0, "\(fresh.errors)")
      let kept = try world.branches.filter { $0.hasPrefix("wip/") }
      #expect(kept.count == 2)
      #expect(try world.shell("git show '\(kept[0]):half-task-1'") == "half")
      try world.expectTidy(branches: ["feature"] + kept)
    }
  }

  @Test func theUsersWorkIsNotTouched() throws {
    try withParallelWorld { world in
      // The user begins to edit while agents work: one file that nobody needs, one that is merged.
      try world.prepare(
        [.init(id: 1), .init(id: 2, needs: [1])],
        agent: """
          echo $task >> work
          [ $task = task-1 ] || exit 0
          cd "$home/repo ü"; echo mine > work; echo x >> test.sh; echo > new
          """)
      let outcome = try world.run(["--json"])
      #expect(outcome.exit == 5, "\(outcome.errors)")
      #expect(try world.statuses(outcome) == ["passed", "pending"])
      #expect(
        try world.shell("cat work; git status --porcelain") == "mine\n M test.sh\n M work\n?? new")
      #expect(try world.resume().exit == 5)
      _ = try world.shell("git checkout -q work")
      try world.setAgent("echo $task >> work")
      let resumed = try world.resume()
      #expect(resumed.exit == 0, "\(resumed.errors)")
      #expect(
        try world.shell("cat work; git status --porcelain")
          == "begin\ntask-1\ntask-2\n M test.sh\n?? new")
    }
  }

  /// Whatever somebody has put onto a task's branch after it was merged is not lost with it.
  @Test(.enabled("only a debug build kills itself") { isDebugBuild })
  func whatIsFoundOnABranchIsKept() throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1)], agent: "echo $task > $task")
      // began, wave_began, started, ended, publishing, published
      let killed = try world.run(["--skip-spec"], ["CONCLAVE_FLEET_KILL": "after 6"])
      #expect(killed.exit == -SIGKILL)
      let line = "git commit-tree -p task/1-thing-1 -m more $(git rev-parse feature~^{tree})"
      _ = try world.shell("git update-ref refs/heads/task/1-thing-1 $(\(line))")
      #expect(try world.resume().exit == 0)
      let kept = try world.branches.filter { $0.hasPrefix("wip/") }
      #expect(kept.count == 1)
      #expect(try world.shell("git log -1 --format=%s '\(kept[0])'") == "more")
      try world.expectTidy(branches: ["feature"] + kept)
    }
  }

  /// Files that git had not written yet, when it was killed, are none that an agent has removed.
  @Test(.enabled("only a debug build kills itself") { isDebugBuild })
  func aHalfMadeWorktreeIsNobodysWork() throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1)], agent: "echo $task > $task")
      // began, wave_began, started
      let killed = try world.run(["--skip-spec"], ["CONCLAVE_FLEET_KILL": "after 3"])
      #expect(killed.exit == -SIGKILL)
      let path = ".worktrees/task-1-thing-1"
      _ = try world.shell("git worktree add -q --no-checkout -b task/1-thing-1 \(path)")
      _ = try world.shell("printf initializing > .git/worktrees/task-1-thing-1/locked")
      let resumed = try world.resume()
      #expect(resumed.exit == 0, "\(resumed.errors)")
      #expect(try world.shell("git ls-files") == "task-1\ntest.sh\nwork")
      try world.expectTidy()
    }
  }

  /// Whoever kills everything kills git, too.
  @Test(.enabled("only a debug build kills itself") { isDebugBuild })
  func locksOfKilledGitsAreRemoved() throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1)], agent: "echo $task > $task")
      let killed = try world.run(["--skip-spec"], ["CONCLAVE_FLEET_KILL": "after 3"])
      #expect(killed.exit == -SIGKILL)
      let locks = ["refs/heads/task/1-thing-1", "refs/heads/feature", "packed-refs", "HEAD"].map {
        "repo ü/.git/\($0).lock"
      }
      _ = try world.shell("mkdir -p .git/refs/heads/task")
      for lock in locks { try world.write(lock, "") }
      let doctor = try world.conclave(["doctor"])
      for lock in locks { #expect(doctor.output.contains(lock)) }
      let resumed = try world.resume()
      #expect(resumed.exit == 0, "\(resumed.errors)")
      #expect(locks.filter(world.has) == [])
      try world.expectTidy()
    }
  }

  /// A run that ends in order kills git commands that do not.
  @Test func locksOfAnInterruptedRunAreRemoved() throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1)],
        agent: """
          [ -e "$home/calm" ] && { echo $task > $task; exit; }
          echo > "$home/on"; sleep 600
          """)
      let tool = try world.start(["--skip-spec"])
      try eventually { world.has("on") }
      tool.send(SIGTERM)
      #expect(try tool.finish().exit == 143)
      let lock = "repo ü/.git/refs/heads/task/1-thing-1.lock"
      _ = try world.shell("mkdir -p .git/refs/heads/task")
      try world.write(lock, "")
      #expect(try world.conclave(["doctor"]).output.contains(lock))
      try world.write("calm", "")
      let resumed = try world.resume()
      #expect(resumed.exit == 0, "\(resumed.errors)")
      try world.expectTidy()
    }
  }

  /// A file is written beside its place first, and a kill may leave it there.
  @Test func whatWasHalfWritten() throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1)],
        agent: """
          [ -e "$home/calm" ] && { echo $task > $task; exit; }
          echo > "$home/on"; sleep 600; sleep 600
          """)
      let tool = try world.start()
      try eventually { world.has("on") }
      tool.send(SIGKILL)
      _ = try tool.finish()
      let folder = "repo ü/.conclave/parallel"
      let run = world.read("\(folder)/latest").dropLast()
      let left = [
        "\(folder)/latest", "\(folder)/\(run)/plan.md", "repo ü/.git/info/exclude",
      ].map { "\($0).\(tool.pid).tmp" }
      // Of somebody who is at it now.
      let others = ["repo ü/.git/info/exclude.\(getpid()).tmp", "\(folder)/notes.tmp"]
      for name in left + others { try world.write(name, "half") }
      try world.write("calm", "")
      let resumed = try world.resume()
      #expect(resumed.exit == 0, "\(resumed.errors)")
      #expect(left.filter(world.has) == [])
      #expect(others.filter(world.has) == others)
    }
  }

  @Test func aChangedPlanAndNoPlan() throws {
    try withParallelWorld { world in
      #expect(try world.resume().exit == 3)
      try world.prepare([.init(id: 1)], agent: "kill -9 $(cut -d' ' -f4 /proc/$PPID/stat); exit 1")
      _ = try world.run(["--max-iterations", "1"])
      try world.write("plan.md", ParallelWorld.plan([.init(id: 1), .init(id: 2)]))
      let other = try world.resume(["--plan", "../plan.md"])
      #expect(other.exit == 5 && other.errors.contains("the plan is not the one"))
      try world.write(".gitkeep", "")
      let branch = try world.run(["--fresh"])
      #expect(branch.exit != 5, "\(branch.errors)")
    }
  }

  @Test func branchesOfTheSameName() throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1)], agent: "echo > $task")
      _ = try world.shell("git branch task/1-thing-1")
      let outcome = try world.run()
      #expect(outcome.exit == 5 && outcome.errors.contains("there is a branch task/1-thing-1"))
      _ = try world.shell("git branch -D task/1-thing-1 && git branch task")
      #expect(try world.run().errors.contains("there is a branch task already"))
    }
  }
}

var isDebugBuild: Bool {
  #if DEBUG
    true
  #else
    false
  #endif
}

extension ParallelWorld {
  var hasRun: Bool {
    FileManager.default.fileExists(atPath: top.path + "/.conclave/parallel/latest")
  }
}

/// Maps in a few threads; the errors are the first one's.
private func inParallel<T: Sendable, R: Sendable>(
  _ items: [T], _ work: @escaping @Sendable (T) throws -> R?
) throws -> [R] {
  let results = Lock(Result<[R], any Error>.success([]))
  DispatchQueue.concurrentPerform(iterations: items.count) { index in
    let result = Result { try work(items[index]) }
    results.withLock { results in
      results = results.flatMap { found in result.map { found + ($0.map { [$0] } ?? []) } }
    }
  }
  return try results.withLock { try $0.get() }
}
