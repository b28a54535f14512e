import BusTesting
import Foundation
import Testing

/// Plans whose tasks begin as soon as they can. What their agents wait for would never come if
/// tasks waited for their wave.
@Suite(.blocking) struct ParallelEagerTests {
  /// The second task of the first wave ends only when the whole chain is merged that begins with
  /// the first.
  static let tasks: [ParallelWorld.Task] = [
    .init(id: 1), .init(id: 2), .init(id: 3, needs: [1]), .init(id: 4, needs: [3]),
    .init(id: 5, needs: [2, 4]),
  ]

  /// `has task-4` says whether the branch has the work of that task, `here task-4` whether it was
  /// there when this one began.
  static let functions = """
    has() { git cat-file -e "feature:$1" 2> /dev/null; }
    until_has() { until has "$1"; do sleep 0.05; done; }
    here() { for name in "$@"; do [ -e "$name" ] || exit 1; done; }
    """

  static let script = """
    \(functions)
    case $task in
    task-2) until_has task-4;;
    task-3) here task-1;;
    task-4) here task-1 task-3;;
    task-5) here task-1 task-2 task-3 task-4;;
    esac
    echo $task > $task
    """

  /// An agent that waits in vain fails.
  static let eager = [
    "--schedule", "eager", "--json", "--max-iterations", "1", "--implement-timeout", "600s",
  ]

  @Test func aTaskBeginsBesideASlowOne() throws {
    try withParallelWorld { world in
      try world.prepare(ParallelEagerTests.tasks, agent: ParallelEagerTests.script)
      let outcome = try world.run(ParallelEagerTests.eager)
      #expect(outcome.exit == 0, "\(outcome.errors)\(outcome.output)")
      #expect(try world.statuses(outcome) == Array(repeating: "merged", count: 5))
      let order = [1, 3, 4, 2, 5].map { "Task \($0): Thing \($0)" }
      #expect(try world.subjects == ["first"] + order)
      let summary = try world.summary(outcome)
      #expect(summary["schedule"] as? String == "eager")
      let tasks = try #require(summary["tasks"] as? [[String: Any]])
      #expect(tasks.allSatisfy { $0["wave"] as? Int == 0 })
      try world.expectTidy()
    }
  }

  /// What is behind another one because of a file alone waits for it, and for it alone; what
  /// depends on what has failed is skipped, and nothing else is.
  @Test func filesAndFailures() throws {
    try withParallelWorld { world in
      try world.prepare(
        [
          .init(id: 1, files: ["shared"]), .init(id: 2), .init(id: 3, files: ["shared"]),
          .init(id: 4, needs: [1]), .init(id: 5, needs: [4, 2]), .init(id: 6, needs: [3]),
        ],
        agent: """
          \(ParallelEagerTests.functions)
          case $task in
          task-1) [ -e "$home/prompt-task-3-1" ] && touch "$home/early"; exit 1;;
          task-2) until_has task-6;;
          task-3) echo > shared;;
          task-6) here shared;;
          esac
          echo > $task
          """)
      let outcome = try world.run(ParallelEagerTests.eager)
      #expect(outcome.exit == 1, "\(outcome.errors)")
      #expect(
        try world.statuses(outcome) == [
          "failed", "merged", "merged", "skipped", "skipped", "merged",
        ])
      #expect(outcome.output.contains("task 1 has not been done"))
      #expect(outcome.output.contains("task 4 was skipped") && !world.has("early"))
      #expect(!world.has("prompt-task-4-1") && !world.has("prompt-task-5-1"))
      // A person has helped; only what had failed is tried again, and what depends on it.
      try world.setAgent("echo again > $task")
      let again = try world.resume(["--retry", "--json"])
      #expect(again.exit == 0, "\(again.errors)")
      #expect(try world.statuses(again) == Array(repeating: "merged", count: 6))
      #expect(world.read("n-task-2") == "1\n" && world.read("n-task-1") == "2\n")
    }
  }

  /// One that is done again has the right of way: what would collide with it once more, and has
  /// passed meanwhile, is merged behind it.
  @Test func aConflictIsDoneAgainOnce() throws {
    try withParallelWorld { world in
      try world.prepare(
        (1...3).map { .init(id: $0) },
        agent: """
          \(ParallelEagerTests.functions)
          case $task-$n in
          task-2-1) until_has task-1;;
          task-2-2) while [ -e "$home/repo ü/.worktrees/task-3-thing-3" ]; do sleep 0.05; done;;
          task-3-1) until [ -e "$home/prompt-task-2-2" ]; do sleep 0.05; done;;
          esac
          [ $task = task-3 ] || echo $task >> work
          [ $task = task-1 ] || echo $task >> other; echo > $task
          """)
      let outcome = try world.run(ParallelEagerTests.eager)
      #expect(outcome.exit == 0, "\(outcome.errors)\(outcome.output)")
      #expect(try world.shell("cat work") == "begin\ntask-1\ntask-2")
      #expect(try world.shell("cat other") == "task-2\ntask-3")
      #expect(world.read("n-task-2") == "2\n" && world.read("n-task-3") == "2\n")
      #expect(world.read("prompt-task-2-2").contains("it could not be merged"))
      let kept = try world.branches.filter { $0.hasPrefix("wip/") }
      #expect(kept.count == 2)
      try world.expectTidy(branches: ["feature"] + kept)
    }
  }

  /// Tests of the merged work run while another task is at work.
  @Test func whatBreaksTheTestsIsDoneAgain() throws {
    try withParallelWorld(tests: "[ ! -e a ] || [ ! -e b ] || { echo error: both; exit 1; }") {
      world in
      try world.prepare(
        (1...3).map { .init(id: $0) },
        agent: """
          \(ParallelEagerTests.functions)
          case $task-$n in
          task-1-*) echo > a;;
          task-2-1) until_has a; echo > b;;
          task-2-2) echo > c;;
          task-3-*) until_has c; echo > d;;
          esac
          """)
      let outcome = try world.run(
        ["--schedule", "eager", "--max-iterations", "1", "--implement-timeout", "600s"])
      #expect(outcome.exit == 0, "\(outcome.errors)")
      #expect(
        outcome.errors.contains("merge: the tests fail with the merge of task 2: error: both"))
      #expect(outcome.errors.contains("parallel-run: 3 tasks, each as soon as it can, for feature"))
      #expect(!outcome.errors.contains("wave"))
      #expect(world.read("prompt-task-2-2").contains("error: both"))
      #expect(try world.shell("ls") == "a\nc\nd\ntest.sh\nwork")
    }
  }

  @Test func theBoardReachesWhatBeginsLater() throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1), .init(id: 2), .init(id: 3, needs: [1])],
        agent: """
          \(ParallelEagerTests.functions)
          case $task in
          task-1)
            echo '<!-- BUS:warning -->the disk is slow<!-- /BUS -->'
            echo '<!-- BUS:discovery -->the API has pages<!-- /BUS -->';;
          task-2) until_has task-3;;
          esac
          echo > $task
          """)
      let outcome = try world.run(ParallelEagerTests.eager)
      #expect(outcome.exit == 0, "\(outcome.errors)")
      let prompt = world.read("prompt-task-3-1")
      #expect(prompt.contains("the disk is slow") && prompt.contains("the API has pages"))
      let sessions = try world.conclave(["bus", "archive"]).output
      #expect(sessions.contains("wave-0") && !sessions.contains("wave-1"))
    }
  }

  /// Work in the way of a merge ends the run, but not what is under way.
  @Test func theUsersWorkIsNotTouched() throws {
    try withParallelWorld { world in
      try world.prepare(
        (1...4).map { .init(id: $0) },
        agent: """
          case $task in
          task-1) echo mine > "$home/repo ü/task-1";;
          task-2) while [ -e "$home/repo ü/.worktrees/task-1-thing-1" ]; do sleep 0.05; done;;
          esac
          echo $task > $task
          """)
      let outcome = try world.run(ParallelEagerTests.eager + ["--max-concurrent", "2"])
      #expect(outcome.exit == 5, "\(outcome.errors)")
      // The third has taken the place of the first before that was to be merged.
      #expect(try world.statuses(outcome) == ["passed", "passed", "passed", "pending"])
      #expect(try world.shell("cat task-1; git status --porcelain") == "mine\n?? task-1")
      _ = try world.shell("rm task-1")
      try world.setAgent("echo $task > $task")
      let resumed = try world.resume(["--json"])
      #expect(resumed.exit == 0, "\(resumed.errors)")
      #expect(try world.statuses(resumed) == ["merged", "merged", "merged", "merged"])
      #expect(world.read("n-task-1") == "1\n" && world.read("n-task-2") == "1\n")
      try world.expectTidy()
    }
  }

  /// A task that was stopped does not stop the others; then the run can go on.
  @Test func aTaskIsStopped() throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1), .init(id: 2), .init(id: 3, needs: [1]), .init(id: 4, needs: [2])],
        agent: """
          case $task-$n in
          task-2-1) conclave ralph stop || exit 1;;
          esac
          echo $n > $task
          """)
      let bin = world.home.appendingPathComponent("bin").path
      try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: bin + "/conclave", withDestinationPath: Tool.path)
      let outcome = try world.run(
        ["--schedule", "eager", "--json"], ["PATH": "\(bin):/usr/local/bin:/usr/bin:/bin"])
      #expect(outcome.exit == 1, "\(outcome.errors)")
      #expect(try world.statuses(outcome) == ["merged", "interrupted", "merged", "pending"])
      #expect(try world.summary(outcome)["end"] as? String == "stopped")
      let resumed = try world.resume(["--json"])
      #expect(try world.statuses(resumed) == ["merged", "merged", "merged", "merged"])
      try world.expectTidy()
    }
  }

  @Test func whatWouldBeDone() throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1, files: ["f"]), .init(id: 2, files: ["f"]), .init(id: 3, needs: [1])],
        agent: "true")
      for (arguments, more) in [
        (["--schedule=eager"], [:]), ([], ["PARALLEL_SCHEDULE": "eager"]),
      ] {
        let outcome = try world.run(["--dry-run"] + arguments, more)
        #expect(
          outcome.output == """
            ../plan.md: 3 tasks, each begun as soon as those that it is behind are merged

              1  Thing 1
              2  Thing 2  (behind 1)
              3  Thing 3  (behind 1)

            Because of files alone
              2 waits for 1: both change f

            Critical path: 1, 2
            Name no files, so that collisions are not foreseen: 3

            """)
      }
      let json = try world.summary(try world.run(["--dry-run", "--json", "--schedule", "eager"]))
      #expect(json["schedule"] as? String == "eager" && json["waves"] as? Int == 1)
      let waves = try world.summary(try world.run(["--dry-run", "--json"]))
      #expect(waves["schedule"] as? String == "wave" && waves["waves"] as? Int == 2)
      let mistake = try world.run(["--schedule", "soon"])
      #expect(mistake.exit == 2 && mistake.errors.contains("wave or eager"))
    }
  }
}
