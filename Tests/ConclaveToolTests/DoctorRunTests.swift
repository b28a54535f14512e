import BusTesting
import Foundation
import Testing

/// What `doctor` knows of runs and loops that were killed.
extension DoctorTests {
  private static let waiting = """
    [ -e "$home/calm" ] && { echo $task > $task; exit; }
    echo half > half-$task; echo $$ $PPID > "$home/pids-$task"; sleep 600; sleep 600
    """

  private func doctor(_ world: ParallelWorld, _ more: String...) throws -> (Report, Outcome) {
    let outcome = try world.conclave(["doctor", "--json"] + more)
    #expect(outcome.errors.isEmpty)
    return (try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8)), outcome)
  }

  private func pids(_ world: ParallelWorld, _ task: Int) throws -> [Int32] {
    try eventually { world.read("pids-task-\(task)").hasSuffix("\n") }
    return world.read("pids-task-\(task)").dropLast().split(separator: " ").compactMap { Int32($0) }
  }

  /// Everything at once, so that nobody could end the agents.
  @Test func aRunThatWasKilled() throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1), .init(id: 2, needs: [1])], agent: DoctorTests.waiting)
      #expect(try doctor(world).0.about("a run") == [])
      let tool = try world.start()
      let pids = try pids(world, 1)
      let atWork = try doctor(world).0.about("a run")
      #expect(atWork.map(\.severity) == ["ok"] && atWork.first?.processes == [tool.pid])
      kill(tool.pid, SIGSTOP)
      kill(pids[1], SIGKILL)
      tool.send(SIGKILL)
      _ = try tool.finish()
      try world.write("repo ü/mine", "mine")

      let (report, outcome) = try doctor(world)
      #expect(outcome.exit == 1)
      let run = report.about("a run")
      #expect(run.map(\.severity) == ["warning"] && run.first?.fixable == false)
      #expect(run.first?.message.contains("was killed; its work so far is in") == true)
      #expect(run.first?.message.contains("/.worktrees/task-1-thing-1 (task/1-thing-1)") == true)
      #expect(run.first?.hint.contains("conclave parallel-run --resume") == true)
      let left = report.about("processes")
      #expect(left.first?.processes?.contains(pids[0]) == true && left.first?.fixable == true)
      #expect(kill(pids[0], 0) == 0)

      let (fixed, last) = try doctor(world, "--fix")
      #expect(last.exit == 1)
      #expect(fixed.about("processes").first?.fixed?.hasPrefix("ended ") == true)
      #expect(world.members == [])
      try eventually { kill(pids[0], 0) == -1 }
      #expect(fixed.about("a session").map(\.fixed?.isEmpty) == [false])
      #expect(fixed.about("a run").map(\.fixed) == [nil])
      // The work of the run, and the user's, are as they were.
      #expect(world.read("repo ü/.worktrees/task-1-thing-1/half-task-1") == "half\n")
      #expect(world.read("repo ü/mine") == "mine")
      #expect(try doctor(world).0.about("processes") == [])

      try FileManager.default.removeItem(at: world.top.appendingPathComponent("mine"))
      try world.write("calm", "")
      let resumed = try world.resume()
      #expect(resumed.exit == 0, "\(resumed.errors)")
      #expect(!resumed.errors.contains("that a killed run had left"))
      #expect(try doctor(world).0.about("a run") == [])
      try world.expectTidy()
    }
  }

  @Test func aRunThatWasInterrupted() throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1)], agent: DoctorTests.waiting)
      let tool = try world.start()
      _ = try pids(world, 1)
      tool.send(SIGINT)
      #expect(try tool.finish().exit == 130)
      let report = try doctor(world).0
      #expect(report.about("a run").map(\.severity) == ["note"])
      #expect(report.about("a run").first?.message.contains("was interrupted") == true)
      #expect(report.about("processes") == [])
    }
  }

  /// The branch was about to be moved, and git was killed when it had written some of the files.
  @Test(.enabled("only a debug build kills itself") { isDebugBuild })
  func aMoveThatWasCutOff() throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1)], agent: "echo $task > new; echo $task >> work")
      // began, wave_began, started, ended, publishing
      let killed = try world.run(["--skip-spec"], ["CONCLAVE_FLEET_KILL": "after 5"])
      #expect(killed.exit == -SIGKILL)
      try world.write("repo ü/new", "task-1\n")
      try world.write("repo ü/test.sh", "exit 0\n")
      try world.write("repo ü/.git/index.lock", "")
      let report = try doctor(world).0
      #expect(report.about("a merge").map(\.fixable) == [true])
      #expect(report.about("a lock") == [])
      #expect(report.names(".git/index.lock"))
      let fixed = try doctor(world, "--fix").0
      #expect(fixed.about("a merge").first?.fixed?.contains("put back 1 file that") == true)
      // What is neither the one nor the other is the user's.
      #expect(try world.shell("git status --porcelain") == " M test.sh")
      #expect(try doctor(world).0.about("a merge") == [])
      _ = try world.shell("git checkout -q test.sh")
      #expect(try world.resume().exit == 0)
      #expect(try world.shell("cat new") == "task-1")
      try world.expectTidy()
    }
  }

  /// Git refuses everything while one of them is empty.
  @Test(.enabled("only a debug build kills itself") { isDebugBuild }, arguments: [true, false])
  func notesThatGitWasKilledOver(_ isFixed: Bool) throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1)], agent: "echo $task > $task")
      // began, wave_began, started
      let killed = try world.run(["--skip-spec"], ["CONCLAVE_FLEET_KILL": "after 3"])
      #expect(killed.exit == -SIGKILL)
      let path = ".worktrees/task-1-thing-1"
      _ = try world.shell("git worktree add -q --no-checkout -b task/1-thing-1 \(path)")
      let notes = ".git/worktrees/task-1-thing-1"
      _ = try world.shell("printf initializing > \(notes)/locked; : > \(notes)/commondir")
      _ = try world.shell("! git worktree list 2> ../refused")
      if isFixed {
        #expect(try doctor(world).0.about("a worktree").count == 1)
        let fixed = try doctor(world, "--fix").0.about("a worktree")
        #expect(fixed.first?.fixed?.contains("mended") == true)
        #expect(try world.shell("git worktree list").contains("task-1-thing-1"))
      }
      #expect(try world.resume().exit == 0)
      try world.expectTidy()
    }
  }

  /// A worktree in which merged work was tested, and one whose work was merged.
  @Test(.enabled("only a debug build kills itself") { isDebugBuild })
  func worktreesThatNobodyNeeds() throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1), .init(id: 2, needs: [1])], agent: "echo $task > $task")
      // began, wave_began, started, ended, publishing, published
      let killed = try world.run(["--skip-spec"], ["CONCLAVE_FLEET_KILL": "after 6"])
      #expect(killed.exit == -SIGKILL)
      _ = try world.shell("git worktree add -q --detach .worktrees/merged")
      _ = try world.shell("git worktree add -q -b task/9-other .worktrees/task-9-other")
      let report = try doctor(world).0
      let trees = report.about("a worktree")
      #expect(trees.filter { $0.fixable == true }.count == 2 && trees.count == 3)
      #expect(report.names("task/1-thing-1, whose work is elsewhere already"))
      _ = try doctor(world, "--fix")
      // What is of a run that nobody remembers may be anybody's.
      #expect(try world.branches == ["feature", "task/9-other"])
      #expect(try world.shell("ls .worktrees") == "task-9-other")
      _ = try world.shell("git worktree remove .worktrees/task-9-other")
      _ = try world.shell("git branch -q -D task/9-other")
      #expect(try world.resume().exit == 0)
      try world.expectTidy()
    }
  }

  @Test func aLoopThatWasKilled() throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1)], agent: "task=task-1\n" + DoctorTests.waiting)
      let arguments = ["ralph-run", "--task", "a task", "--agent", "../agent.json"]
      let tool = try Tool(arguments, in: world.top, environment: world.environment)
      let pids = try pids(world, 1)
      #expect(try doctor(world).0.about("a loop") == [])
      tool.send(SIGKILL)
      _ = try tool.finish()
      try world.write("repo ü/.git/conclave-ralph/snapshot-index.lock", "")
      let report = try doctor(world).0
      #expect(report.about("a loop").map(\.severity) == ["warning"])
      #expect(report.about("a loop").first?.hint.contains("ralph-run --resume") == true)
      #expect(report.about("processes").first?.processes?.contains(pids[0]) == true)
      #expect(report.about("a lock").map(\.fixable) == [true])
      _ = try doctor(world, "--fix")
      try eventually { kill(pids[0], 0) == -1 }
      let rest = try doctor(world).0
      #expect(rest.about("processes") == [] && rest.about("a lock") == [])
      #expect(rest.about("a loop").count == 1)
      #expect(try world.shell("cat half-task-1") == "half")
    }
  }

  @Test func aLockThatNobodyOwns() throws {
    try withParallelWorld { world in
      try world.write("repo ü/.git/index.lock", "")
      let report = try doctor(world, "--fix").0
      #expect(report.about("a lock").map(\.fixable) == [false])
      #expect(world.has("repo ü/.git/index.lock"))
    }
  }
}
