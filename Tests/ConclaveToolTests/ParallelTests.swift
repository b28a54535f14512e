import BusTesting
import Foundation
import Testing

/// Plans, carried out by the command itself with scripted agents in real repositories.
@Suite(.blocking) struct ParallelTests {
  private static let four: [ParallelWorld.Task] = [
    .init(id: 1), .init(id: 2), .init(id: 3, needs: [1, 2]), .init(id: 4, needs: [2]),
  ]

  @Test func aPlanThatIsDone() throws {
    try withParallelWorld { world in
      try world.prepare(ParallelTests.four, agent: "echo $task > $task")
      let outcome = try world.run(["--json"])
      #expect(outcome.exit == 0, "\(outcome.errors)")
      #expect(try world.statuses(outcome) == ["merged", "merged", "merged", "merged"])
      let subjects = ["first"] + (1...4).map { "Task \($0): Thing \($0)" }
      #expect(try world.subjects == subjects)
      #expect(try world.shell("cat task-1 task-2 task-3 task-4").hasSuffix("task-3\ntask-4"))
      let trailers = try world.shell("git log -1 --format=%b")
      #expect(trailers.contains("Task-Id: task-4\nAgent: sh\nIterations: 1"))
      try world.expectTidy()
    }
  }

  @Test func theTableAndTheLines() throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1), .init(id: 2)], agent: "echo $task > $task")
      let outcome = try world.run()
      #expect(outcome.output.contains("TASK  STATUS  ITERATIONS") && outcome.exit == 0)
      #expect(outcome.output.contains("     1  merged           1"))
      #expect(outcome.errors.contains("parallel-run: 2 tasks in 1 wave for feature"))
      #expect(outcome.errors.hasSuffix("2 of 2 tasks are merged into feature\n"))
      #expect(try world.run(["--quiet"], [:]).exit != 0)
    }
  }

  @Test func whatFailsTakesItsDependantsAlong() throws {
    try withParallelWorld { world in
      try world.prepare(
        ParallelTests.four,
        agent: "[ $task = task-1 ] && { echo half > half; exit 1; }; echo > $task")
      let outcome = try world.run(["--json", "--max-iterations", "1"])
      #expect(outcome.exit == 1)
      #expect(try world.statuses(outcome) == ["failed", "merged", "skipped", "merged"])
      let kept = try world.branches.filter { $0.hasPrefix("wip/") }
      #expect(kept.count == 1)
      #expect(try world.shell("git show '\(kept[0]):half'") == "half")
      try world.expectTidy(branches: ["feature"] + kept)

      // A person has helped; what had failed is tried again, and nothing else.
      try world.setAgent("echo again > $task")
      #expect(try world.resume().exit == 3)
      let again = try world.resume(["--retry", "--json"])
      #expect(again.exit == 0, "\(again.errors)")
      #expect(try world.statuses(again) == ["merged", "merged", "merged", "merged"])
      #expect(world.read("n-task-2") == "1\n" && world.read("n-task-1") == "2\n")
    }
  }

  @Test func whatChangesNothingHasFailed() throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1), .init(id: 2, needs: [1])], agent: "echo ALREADY_DONE")
      let outcome = try world.run(["--json"])
      #expect(try world.statuses(outcome) == ["failed", "skipped"] && outcome.exit == 1)
      #expect(outcome.output.contains("it passed without having changed anything"))
      let allowed = try world.run(["--json", "--allow-unchanged"])
      #expect(try world.statuses(allowed) == ["merged", "merged"], "\(allowed.errors)")
      #expect(try world.subjects == ["first"])
    }
  }

  @Test func blockedAndKilledTasks() throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1), .init(id: 2), .init(id: 3)],
        agent: """
          case $task in
          task-1) echo BLOCKED: no key;;
          task-2) echo half > half; kill -9 $PPID; sleep 600;;
          *) echo > $task;;
          esac
          """)
      let outcome = try world.run(["--json"])
      #expect(try world.statuses(outcome) == ["blocked", "failed", "merged"])
      #expect(outcome.output.contains("no key") && outcome.output.contains("killed by SIGKILL"))
      let kept = try world.branches.filter { $0.hasPrefix("wip/") }
      #expect(try kept.map { try world.shell("git show '\($0):half'") } == ["half"])
      try world.expectTidy(branches: ["feature"] + kept)
    }
  }

  @Test func aConflictIsDoneAgain() throws {
    try withParallelWorld { world in
      // Each appends to the end, where it conflicts with whoever was there at the same time.
      try world.prepare(
        (1...3).map { .init(id: $0) }, agent: "echo $task >> work; echo $task > $task")
      let outcome = try world.run(["--json"])
      #expect(try world.statuses(outcome) == ["merged", "merged", "merged"], "\(outcome.errors)")
      #expect(try world.shell("cat work") == "begin\ntask-1\ntask-2\ntask-3")
      let prompt = world.read("prompt-task-2-2")
      #expect(prompt.contains("it could not be merged") && prompt.contains("\"work\""))
      #expect(prompt.contains("+task-2") && prompt.contains("+task-1"))
      #expect(world.read("n-task-3") == "2\n")
      let kept = try world.branches.filter { $0.hasPrefix("wip/") }
      #expect(kept.count == 2)
      try world.expectTidy(branches: ["feature"] + kept)
    }
  }

  @Test func whatAnotherHasDoneAlready() throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1), .init(id: 2)], agent: "echo same > same")
      let outcome = try world.run(["--json"])
      #expect(try world.statuses(outcome) == ["merged", "merged"], "\(outcome.errors)")
      #expect(try world.subjects == ["first", "Task 1: Thing 1"])
      let tasks = try #require(try world.summary(outcome)["tasks"] as? [[String: Any]])
      let head = try world.shell("git rev-parse feature")
      #expect(tasks.map { $0["commit"] as? String } == [head, ""])
      #expect(tasks[1]["reason"] as? String == "nothing was left to merge")
      try world.expectTidy()
      _ = try world.shell("git reset -q --hard HEAD~")
      let lines = try world.run()
      #expect(lines.errors.contains("  task 2: nothing was left to merge\n"))
      #expect(lines.output.hasSuffix("\n  task 2: nothing was left to merge\n"))
    }
  }

  @Test func aConflictThatStaysIsAFailure() throws {
    try withParallelWorld { world in
      // The second task's work never fits: it begins with the file as it was at first.
      try world.prepare(
        [.init(id: 1), .init(id: 2)],
        agent: """
          if [ $task = task-1 ]; then echo one > work; exit; fi
          git -C "$home/repo ü" commit -q --allow-empty -m moved
          (cd "$home/repo ü" && echo $n > work && git commit -qam "user $n")
          echo two-$n > work
          """)
      let outcome = try world.run(["--json", "--max-reruns", "1"])
      #expect(try world.statuses(outcome).last == "failed", "\(outcome.errors)")
      #expect(outcome.output.contains("it could not be merged 2 times: conflicts in \\\"work\\\""))
      #expect(try world.shell("git status --porcelain") == "")
    }
  }

  @Test func testsOfTheMergedWorkNameTheMerge() throws {
    try withParallelWorld(tests: "[ ! -e a ] || [ ! -e c ] || { echo error: a and c; exit 1; }") {
      world in
      try world.prepare(
        (1...4).map { .init(id: $0) },
        agent: """
          case $task-$n in
          task-1-*) echo > a;; task-2-*) echo > b;; task-3-1) echo > c;; task-3-*) echo > cc;;
          *) echo > d;;
          esac
          """)
      let outcome = try world.run(["--max-concurrent", "4"])
      #expect(outcome.exit == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("the tests fail with the merge of task 3: error: a and c"))
      #expect(world.read("prompt-task-3-2").contains("error: a and c"))
      #expect(try world.shell("ls") == "a\nb\ncc\nd\ntest.sh\nwork")
      #expect(world.read("n-task-4") == "1\n")
    }
  }

  @Test func withoutTheGateItIsMergedAllTheSame() throws {
    try withParallelWorld(tests: "[ ! -e a ] || [ ! -e b ]") { world in
      try world.prepare(
        [.init(id: 1), .init(id: 2)], agent: "case $task in task-1) echo > a;; *) echo > b;; esac")
      #expect(try world.run(["--no-gate"]).exit == 0)
      #expect(try world.shell("ls") == "a\nb\ntest.sh\nwork")
    }
  }

  @Test func worktreesAreSetUp() throws {
    try withParallelWorld(tests: "test -e installed") { world in
      try world.prepare([.init(id: 1), .init(id: 2)], agent: "test -e installed && echo > $task")
      _ = try world.shell("echo /installed > .gitignore; git add -A; git commit -qm ignore")
      let failing = try world.run(["--json", "--setup-cmd", "echo no room >&2; exit 3"])
      #expect(try world.statuses(failing) == ["failed", "failed"])
      #expect(failing.output.contains("the set-up (--setup-cmd) failed: exit code 3"))
      let littering = try world.run(["--json", "--setup-cmd", "echo > litter"])
      #expect(littering.output.contains("leaves files that git does not ignore"))
      _ = try world.shell("mkdir -p .conclave; echo 'touch installed' > .conclave/setup")
      let done = try world.run(["--json"])
      #expect(try world.statuses(done) == ["merged", "merged"], "\(done.errors)")
    }
  }

  @Test func boardsReachOthersAndTheNextWave() throws {
    try withParallelWorld { world in
      // Task 1 warns in its first iteration; task 2 waits for that, and hears it in its second.
      try world.prepare(
        [.init(id: 1), .init(id: 2), .init(id: 3, needs: [1])],
        agent: """
          case $task-$n in
          task-1-1)
            echo > one
            echo '<!-- BUS:warning -->the disk is slow<!-- /BUS -->'
            echo '<!-- BUS:discovery -->the API has pages<!-- /BUS -->';;
          task-2-1)
            while ! conclave board read --bus-dir "$home/repo ü/.conclave/bus/wave-0" \
              --topic parallel.wave-0.board | grep -q slow; do sleep 0.05; done
            exit 1;;
          *) echo > $task;;
          esac
          """)
      let outcome = try world.run([], world.withConclave())
      #expect(outcome.exit == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("task-1 says, warning: the disk is slow"))
      #expect(world.read("prompt-task-2-2").contains("the disk is slow"))
      let next = world.read("prompt-task-3-1")
      #expect(next.contains("the disk is slow") && next.contains("the API has pages"))
      // Still there for who looks for what went wrong.
      #expect(try world.board(ofWave: 0).contains { $0.text == "the disk is slow" })
    }
  }
}
