import BusTesting
import Foundation
import Testing

/// Which tests count for the work of a plan's tasks, and what is said of it.
@Suite(.blocking) struct ParallelGateTests {
  /// What a task adds are its own tests, too.
  @Test func testsThatATaskAddsAreRun() throws {
    try withParallelWorld { world in
      _ = try world.shell("git rm -q test.sh; git commit -qm 'no tests'")
      try world.prepare(
        [.init(id: 1)], agent: "echo 'echo error: always; exit 1' > test.sh; echo x > x")
      let outcome = try world.run(["--json", "--max-iterations", "2"])
      #expect(outcome.exit == 1)
      #expect(try world.statuses(outcome) == ["failed"])
      #expect(world.read("prompt-task-1-2").contains("error: always"))
      #expect(try world.subjects == ["first", "no tests"])
    }
  }

  /// The second one's loop had no tests that it could have run, and a person's commit is in
  /// between: the tests of the first one find it all the same.
  @Test func whatNoLoopHasTestedIsTestedWhenItIsMerged() throws {
    try withParallelWorld { world in
      _ = try world.shell("git rm -q test.sh; git commit -qm 'no tests'")
      try world.prepare(
        [.init(id: 1), .init(id: 2)],
        agent: """
          case $task-$n in
          task-1-*)
            echo '[ ! -e b ] || { echo error: b; exit 1; }' > test.sh
            (cd "$home/repo ü" && echo > own && git add own && git commit -qm own);;
          task-2-1) echo > b;;
          *) echo > c;;
          esac
          """)
      let outcome = try world.run()
      #expect(outcome.exit == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("the tests fail with the merge of task 2: error: b"))
      #expect(!outcome.errors.contains("failed before"))
      #expect(try world.shell("ls") == "c\nown\ntest.sh\nwork")
    }
  }

  /// A gate that failed with a task's merge has merged nothing that fails.
  @Test func aWaveThatIsGoodInTheEnd() throws {
    try withParallelWorld(tests: "[ ! -e a ] || [ ! -e c ] || { echo error: a and c; exit 1; }") {
      world in
      try world.prepare(
        [.init(id: 1), .init(id: 2)],
        agent: "case $task-$n in task-1-*) echo > a;; task-2-1) echo > c;; *) echo > cc;; esac")
      let outcome = try world.run(["--json"])
      #expect(outcome.exit == 0, "\(outcome.output)\(outcome.errors)")
      #expect(try world.statuses(outcome) == ["merged", "merged"])
      #expect(try world.summary(outcome)["broken_waves"] as? [Int] == [])
    }
  }

  @Test func whoNeverFitsBreaksNothing() throws {
    try withParallelWorld(tests: "[ ! -e a ] || [ ! -e c ] || { echo error: a and c; exit 1; }") {
      world in
      try world.prepare(
        [.init(id: 1), .init(id: 2)],
        agent: "case $task-$n in task-1-*) echo > a;; task-2-1) echo > c;; *) exit 1;; esac")
      let outcome = try world.run(["--json", "--max-iterations", "1"])
      #expect(try world.statuses(outcome) == ["merged", "failed"], "\(outcome.errors)")
      #expect(try world.summary(outcome)["broken_waves"] as? [Int] == [])
      #expect(outcome.exit == 1)
    }
  }
}
