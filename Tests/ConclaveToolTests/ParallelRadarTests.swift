import BusTesting
import Foundation
import Testing

/// The conflict radar of a run, with scripted agents.
@Suite(.blocking) struct ParallelRadarTests {
  /// Both are told of the other while they work, so that the second iteration can do otherwise.
  @Test func tasksAreToldWhoChangesTheSame() throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1), .init(id: 2), .init(id: 3)],
        agent: """
          board="$home/repo ü/.conclave/bus/wave-0/parallel.wave-0.board.jsonl"
          wait_for() {
            # There is no such file before somebody has said something.
            until [ "$(cat "$board" 2> /dev/null | grep -c "$1")" -ge $2 ]; do sleep 0.05; done
          }
          if [ $task = task-3 ]; then
            echo $task > $task; wait_for 'merging them conflicts in work' 4; exit
          fi
          if [ $n = 1 ]; then
            echo $task > work; wait_for 'merging them conflicts in work' 2; exit 1
          fi
          # What is no longer true is withdrawn, so first both must have been told.
          for other in task-1 task-2; do
            until [ -e "$home/prompt-$other-2" ]; do sleep 0.05; done
          done
          git checkout -q work
          echo $task > $task
          wait_for 'merging them conflicts in work' 4
          """)
      let outcome = try world.run(["--json", "--radar-interval", "50ms"])
      #expect(outcome.exit == 0, "\(outcome.errors)")
      #expect(try world.statuses(outcome) == ["merged", "merged", "merged"])
      #expect(!world.has("repo ü/.git/conclave-radar"))
      let told = world.read("prompt-task-1-2")
      #expect(
        told.contains(
          #"(observed; to task-1): "task-2 changes what this task changes, too: work; "#
            + #"as both are now, merging them conflicts in work""#))
      #expect(told.contains("(observed): \"changes work\"") && !told.contains("to task-2"))
      try world.expectTidy()
    }
  }

  @Test(arguments: [
    (["--no-radar", "--radar-interval", "1s"], "exclude each other"),
    (["--radar-interval", "0"], "must be more than 0"),
    (["--radar-interval", "often"], "is \"often\""),
  ])
  func mistakes(_ arguments: [String], _ words: String) throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1)], agent: "echo > x")
      let outcome = try world.run(arguments)
      #expect(outcome.exit == 2 && outcome.errors.contains(words), "\(outcome.errors)")
    }
  }

  @Test func nobodyLooks() throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1)],
        agent: """
          [ -e "$home/repo ü/.git/conclave-radar" ] && exit 1
          echo $task > $task
          """)
      for (option, task) in [("--no-radar", 1), ("--no-board", 2)] {
        try world.write("plan.md", ParallelWorld.plan([.init(id: task)]))
        let outcome = try world.run([option, "--max-iterations", "1"])
        #expect(outcome.exit == 0, "\(outcome.errors)")
      }
    }
  }
}
