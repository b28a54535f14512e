import BusTesting
import Foundation
import Testing

/// All that a run of a plan promises, in one plan: twelve tasks in four waves, six at once, which
/// share files, warn each other, conflict, and fail; and the same again with an orchestrator that
/// is killed in the middle of it, more than once.
@Suite(.blocking) struct ParallelWholeTests {
  /// 7, 9 and 11 say that they change the same file, which alone puts 9 behind 7. That 3 and 4
  /// change the same file nobody has said.
  private static let tasks: [ParallelWorld.Task] =
    (1...6).map { .init(id: $0) } + [
      .init(id: 7, files: ["shared"], needs: [1]), .init(id: 8, needs: [2]),
      .init(id: 9, files: ["shared"], needs: [3]), .init(id: 10, needs: [8]),
      .init(id: 11, files: ["shared"], needs: [9]), .init(id: 12, needs: [10]),
    ]
  /// Where an agent stops until it is let go on; each is reached once in a run.
  private static let stops = ["wave-0", "conflict", "wave-1"]

  private static let script = """
    id=${task#task-}
    until_there() { while [ ! -e "$home/$1" ]; do sleep 0.05; done; }
    stop() { [ -e "$home/go-$1" ] || { echo > "$home/at-$1"; until_there "go-$1"; }; }
    once() { grep -qx $task "$1" 2>/dev/null || echo $task >> "$1"; }
    is_told() { case $prompt in *"$1"*) true;; *) false;; esac; }
    board() { '\(Tool.path)' board read --topic parallel.wave-0.board \
      --bus-dir "$home/repo ü/.conclave/bus/wave-0"; }

    # The first six are at work at the same time, or nobody goes on.
    if [ $id -le 6 ]; then
      echo > "$home/on-$id"
      for other in 1 2 3 4 5 6; do until_there on-$other; done
    fi
    case $id in
    1) echo '<!-- BUS:warning -->the disk is slow<!-- /BUS -->';;
    2) # Began before the warning: it hears of it in its next iteration.
      is_told 'the disk is slow' || { until board | grep -q slow; do sleep 0.05; done; exit 1; }
      echo > "$home/heard";;
    4) if is_told 'it could not be merged'; then stop conflict; fi;;
    5) until_there heard; stop wave-0;;
    7) is_told 'the disk is slow' || exit 1; stop wave-1;;
    8) echo half > half; exit 1;;
    esac
    case $id in 3|4) once work;; 7|9|11) once shared;; esac
    echo $task > own-$id
    """

  private static let arguments = ["--max-concurrent", "6", "--max-iterations", "2", "--json"]

  @Test func everythingAndKilledInTheMiddle() throws {
    var undisturbed = ""
    try withParallelWorld { world in
      try world.prepare(ParallelWholeTests.tasks, agent: ParallelWholeTests.script)
      for stop in ParallelWholeTests.stops { try world.write("go-\(stop)", "") }
      try expectTheEnd(of: world.run(ParallelWholeTests.arguments), in: world)
      // Two that conflict, and an iteration of its own for who waits for the warning; no more.
      #expect(world.read("n-task-4") == "2\n" && world.read("n-task-2") == "2\n")
      #expect(world.read("n-task-3") == "1\n" && world.read("n-task-8") == "2\n")
      undisturbed = try world.tree
    }
    try withParallelWorld { world in
      try world.prepare(ParallelWholeTests.tasks, agent: ParallelWholeTests.script)
      for stop in ParallelWholeTests.stops {
        let arguments =
          world.hasRun ? ["parallel-run", "--resume"] : world.usual + ParallelWholeTests.arguments
        let tool = try Tool(arguments, in: world.top, environment: world.environment)
        try eventually { world.has("at-\(stop)") }
        tool.send(SIGKILL)
        #expect(try tool.finish().exit == -SIGKILL)
        try eventually { world.members == [] }
        #expect(try world.shell("git status --porcelain") == "")
        try world.write("go-\(stop)", "")
      }
      try expectTheEnd(of: world.resume(["--json"]), in: world)
      #expect(try world.tree == undisturbed)
    }
  }

  private func expectTheEnd(of outcome: Outcome, in world: ParallelWorld) throws {
    #expect(outcome.exit == 1, "\(outcome.errors)")
    let tasks = try #require(try world.summary(outcome)["tasks"] as? [[String: Any]])
    #expect(tasks.map { $0["wave"] as? Int } == [0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 3])
    // Exactly what depends on the one that fails is not begun, directly or not.
    let expected =
      Array(repeating: "merged", count: 7) + ["failed", "merged", "skipped", "merged", "skipped"]
    #expect(try world.statuses(outcome) == expected, "\(outcome.errors)")
    #expect([10, 12].allSatisfy { world.read("n-task-\($0)") == "" })

    // In plan order, but for the one that was done again.
    let order = [1, 2, 3, 5, 6, 4, 7, 9, 11]
    #expect(try world.subjects == ["first"] + order.map { "Task \($0): Thing \($0)" })
    #expect(try world.shell("cat work") == "begin\ntask-3\ntask-4")
    #expect(try world.shell("cat shared") == "task-7\ntask-9\ntask-11")
    let own = try world.shell("cat own-*").split(separator: "\n")
    #expect(Set(own) == Set(order.map { "task-\($0)" }) && own.count == 9)
    #expect(try world.shell("ls").split(separator: "\n").count == 9 + 3)

    // Who worked at the same time and the wave behind have both heard what was said once.
    let concurrent = try world.lastPrompt(2)
    #expect(concurrent.contains("task-1") && concurrent.contains("the disk is slow"))
    let later = try world.lastPrompt(7)
    #expect(later.contains("task-1") && later.contains("the disk is slow"))
    let again = try world.lastPrompt(4)
    #expect(again.contains("it could not be merged") && again.contains("+task-3"))

    let kept = try world.branches.filter { $0.hasPrefix("wip/") }
    #expect(try kept.contains { try world.shell("git show '\($0):half' 2>&1 || :") == "half" })
    try world.expectTidy(branches: ["feature"] + kept)
  }
}

extension ParallelWorld {
  /// What the agent of a task was told when it was called last.
  fileprivate func lastPrompt(_ task: Int) throws -> String {
    let count = try #require(Int(read("n-task-\(task)").dropLast()))
    return read("prompt-task-\(task)-\(count)")
  }
}
