import BusTesting
import Foundation
import Testing

/// Twelve tasks in four waves, six at once, that meet in files that nobody has announced.
@Suite(.heavy, .blocking) struct ParallelFleetTests {
  private static let tasks: [ParallelWorld.Task] = (1...12).map { id in
    let wave = (id - 1) / 3
    let needs = wave == 0 ? [] : ((wave - 1) * 3 + 1...wave * 3).map { $0 }
    return ParallelWorld.Task(id: id, files: ["own/\(id)"], needs: needs)
  }

  /// Each writes a file of its own and a line of a file that its whole wave writes, and says so;
  /// each looks whether it has heard of the wave before.
  private static let script = """
    id=${task#task-}; wave=$(( (id - 1) / 3 ))
    if [ $wave -gt 0 ]; then
      for before in 1 2 3; do
        name=task-$(( (wave - 1) * 3 + before ))
        case $prompt in *"$name found"*) ;; *) echo "not heard of $name"; exit 1;; esac
        [ -e own/${name#task-} ] || exit 2
      done
    fi
    mkdir -p own; echo $task > own/$id; echo $task >> shared-$wave
    echo "<!-- BUS:discovery -->$task found something<!-- /BUS -->"
    """

  @Test(arguments: ["wave", "eager"]) func twelveTasks(_ schedule: String) throws {
    try withParallelWorld(tests: "for f in shared-*; do [ -s \"$f\" ] || [ ! -e \"$f\" ]; done") {
      world in
      try world.prepare(ParallelFleetTests.tasks, agent: ParallelFleetTests.script)
      let outcome = try world.run([
        "--json", "--max-concurrent", "6", "--max-iterations", "1", "--schedule", schedule,
      ])
      #expect(outcome.exit == 0, "\(outcome.errors)\(outcome.output)")
      #expect(try world.statuses(outcome) == Array(repeating: "merged", count: 12))
      for wave in 0..<4 {
        let lines = try world.shell("sort shared-\(wave)").split(separator: "\n").map(String.init)
        #expect(lines == (1...3).map { "task-\(wave * 3 + $0)" }.sorted())
      }
      #expect(try world.shell("ls own | sort -n | tr '\\n' ' '") == "1 2 3 4 5 6 7 8 9 10 11 12 ")
      #expect(try world.shell("git log --merges --oneline") == "")
      let subjects = ["first"] + (1...12).map { "Task \($0): Thing \($0)" }
      // With eager the order depends on how long tasks take, but for those that wait for others.
      let merged = try world.subjects
      #expect(schedule == "wave" ? merged == subjects : merged.sorted() == subjects.sorted())
      let kept = try world.branches.filter { $0.hasPrefix("wip/") }
      try world.expectTidy(branches: ["feature"] + kept)
    }
  }

  /// Killed and interrupted at any moment, again and again, until it is done.
  @Test(arguments: ["wave", "eager"]) func whateverHappens(_ schedule: String) throws {
    try withParallelWorld { world in
      var random = SystemRandomNumberGenerator()
      try world.prepare(
        Array(ParallelFleetTests.tasks.prefix(6)),
        agent: """
          id=${task#task-}; wave=$(( (id - 1) / 3 ))
          mkdir -p own; echo $task > own/$id
          grep -q $task shared-$wave 2>/dev/null || echo $task >> shared-$wave
          """)
      var isDone = false
      for attempt in 1...1000 where !isDone {
        let arguments =
          world.hasRun ? ["parallel-run", "--resume"] : world.usual + ["--schedule", schedule]
        let tool = try Tool(arguments, in: world.top, environment: world.environment)
        // The more often, the later: so that it ends however slow the machine is.
        usleep(UInt32.random(in: 0..<UInt32(min(attempt, 100) * 300_000), using: &random))
        tool.send([SIGKILL, SIGKILL, SIGINT, SIGTERM].randomElement(using: &random) ?? SIGKILL)
        let outcome = try tool.finish()
        let isDisturbed = [130, 143, -SIGKILL, -SIGINT, -SIGTERM].contains(outcome.exit)
        // It may have been killed behind the last record, and then there is nothing to go on with.
        isDone = !isDisturbed
        if isDone { #expect([0, 3].contains(outcome.exit), "\(outcome.errors)\(outcome.output)") }
      }
      #expect(isDone)
      for wave in 0..<2 {
        let lines = try world.shell("sort shared-\(wave)").split(separator: "\n").map(String.init)
        #expect(lines == (1...3).map { "task-\(wave * 3 + $0)" }.sorted())
      }
      #expect(try world.shell("ls own | tr '\\n' ' '") == "1 2 3 4 5 6 ")
      let kept = try world.branches.filter { $0.hasPrefix("wip/") }
      try world.expectTidy(branches: ["feature"] + kept)
    }
  }
}
