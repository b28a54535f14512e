import BusTesting
import Foundation
import Testing

/// What gets onto the board of a wave, and what comes from it to others.
@Suite(.blocking) struct ParallelBoardTests {
  /// Where everything that is on the board is told: who takes long is also told what it changes.
  private let withoutRadar = ["--no-radar"]

  /// However an agent repeats what it was told, it has not found it out.
  @Test(arguments: ["sed -n '/^# Task/,/^# How/p'", "sed 's/$/ /'", "tail -n +2", "cat"])
  func whatAnAgentRepeatsIsNoFinding(_ filter: String) throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1)],
        agent: """
          printf '%s\\n' "$prompt" | \(filter)
          echo '<!-- BUS:discovery -->something of its own<!-- /BUS -->'; echo > $task
          """)
      let example = "Do thing 1.\n<!-- BUS:warning -->EXAMPLE in\nthe task<!-- /BUS -->"
      let plan = ParallelWorld.plan([.init(id: 1)]).replacing("Do thing 1.", with: example)
      try world.write("plan.md", plan)
      let outcome = try world.run(withoutRadar)
      #expect(outcome.exit == 0, "\(outcome.errors)")
      #expect(world.read("prompt-task-1-1").contains("-->EXAMPLE in"))
      #expect(try world.board(ofWave: 0).map(\.text) == ["something of its own"])
    }
  }

  @Test func whatAnAttemptThatFailsHasFoundIsNotCertain() throws {
    try withParallelWorld(tests: "[ ! -e bad ] || { echo error: bad; exit 1; }") { world in
      try world.prepare(
        [.init(id: 1)],
        agent: """
          echo "<!-- BUS:discovery -->fact $n<!-- /BUS -->"
          echo "<!-- BUS:warning -->pitfall $n<!-- /BUS -->"
          echo '<!-- BUS:warning -->pitfall of both<!-- /BUS -->'
          case $n in 1) echo > bad;; *) rm bad; echo > $task;; esac
          """)
      let outcome = try world.run(withoutRadar)
      #expect(outcome.exit == 0, "\(outcome.errors)")
      let notes = try world.board(ofWave: 0)
      let provisional = notes.filter(\.provisional).map(\.text)
      #expect(provisional == ["pitfall 1", "pitfall of both"])
      let certain = notes.filter { !$0.provisional }.map(\.text)
      #expect(certain.dropLast() == ["fact 2", "pitfall 2", "pitfall of both"])
      #expect(certain.last?.contains("fixed: error: bad") == true)
    }
  }

  /// What got rid of an error is known to all later waves, whatever else was found out since.
  @Test func memoryOutlivesManyDiscoveries() throws {
    try withParallelWorld(tests: "[ ! -e bad ] || { echo error: bad thing; exit 1; }") { world in
      try world.prepare(
        [.init(id: 1), .init(id: 2), .init(id: 3, needs: [1, 2]), .init(id: 4, needs: [3])],
        agent: """
          board() { conclave board read --all --bus-dir "$home/repo ü/.conclave/bus/wave-$1" \
            --topic parallel.wave-$1.board; }
          case $task-$n in
          task-1-1|task-4-1) echo > bad;;
          task-1-2|task-4-2) rm bad; echo > $task; echo the remedy is to remove it;;
          task-2-*) while ! board 0 | grep -q remedy; do sleep 0.05; done;;
          esac
          case $task in task-2|task-3) for i in 1 2 3 4 5 6 7 8 9 10; do
            echo "<!-- BUS:discovery -->$task has found thing $i<!-- /BUS -->"
          done; echo > $task;; esac
          """)
      let outcome = try world.run([], world.withConclave())
      #expect(outcome.exit == 0, "\(outcome.errors)")
      let told = world.read("prompt-task-4-2")
      #expect(told.contains("Notes on the error that this task has now"))
      #expect(told.contains("the remedy is to remove it"))
    }
  }

  /// The boards of a run are its user's, whatever other buses are: an agent finds them as they are.
  @Test func aGroupOfOtherBusesIsNotTheBoards() throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1)],
        agent: """
          conclave board post warning said by hand -s $task &&
            conclave board read | grep "said by hand" && echo > $task
          """)
      var more = try world.withConclave()
      more["BUS_GROUP"] = "\(getegid())"
      let outcome = try world.run(withoutRadar, more)
      #expect(outcome.exit == 0, "\(outcome.errors)")
    }
  }

  /// Wherever the bus lies, what was said in a wave is handed over, and found in the archive.
  @Test(arguments: ["a link", "a directory"])
  func aBusElsewhere(_ kind: String) throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1), .init(id: 2, needs: [1])],
        agent: "echo > $task; echo \"<!-- BUS:warning -->$task warns<!-- /BUS -->\"")
      var more: [String: String] = [:]
      if kind == "a link" {
        _ = try world.shell("mkdir ../elsewhere; ln -s ../elsewhere .conclave")
        _ = try world.shell("echo /.conclave >> .git/info/exclude")
      } else {
        more["BUS_DIR"] = world.home.path + "/bus"
      }
      let outcome = try world.run([], more)
      #expect(outcome.exit == 0, "\(outcome.errors)")
      #expect(world.read("prompt-task-2-1").contains("task-1 warns"))
      let listed = try world.conclave(["bus", "archive"], more).output
      #expect(listed.contains("wave-0") && listed.contains("wave-1"))
    }
  }

  /// As in many containers: where shared memory has no room, the boards are files.
  @Test(.enabled("needs mount namespaces") { canMount }, arguments: ["64k", "1m", "2m"])
  func boardsWithoutSharedMemory(_ size: String) throws {
    try withParallelWorld { world in
      let tasks = (1...6).map { ParallelWorld.Task(id: $0) } + [.init(id: 7, needs: Array(1...6))]
      try world.prepare(
        tasks, agent: "echo > $task; echo \"<!-- BUS:warning -->$task warns<!-- /BUS -->\"")
      let words = (world.usual + ["--max-concurrent", "6", "--json"]).joined(separator: " ")
      let outcome = try Tool.shell(
        """
        exec unshare -Urm /bin/sh -c \
          'mount -t tmpfs -o size=\(size) none /dev/shm && exec "$@"' sh '\(Tool.path)' \(words)
        """, in: world.top)
      #expect(outcome.exit == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("no room"))
      let prompt = world.read("prompt-task-7-1")
      for task in 1...6 { #expect(prompt.contains("task-\(task) warns"), "\(outcome.errors)") }
      try world.expectTidy()
    }
  }
}

private let canMount: Bool = {
  let line = "unshare -Urm mount -t tmpfs none /dev/shm"
  return (try? Tool.shell(line, in: FileManager.default.temporaryDirectory))?.exit == 0
}()

/// A note as `board read --all --json` prints it.
struct BoardLine: Decodable {
  let sender: String
  let kind: String
  let text: String
  let provisional: Bool
}

extension ParallelWorld {
  /// An environment in which agents find the command.
  func withConclave() throws -> [String: String] {
    let bin = home.appendingPathComponent("bin").path
    try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: bin + "/conclave", withDestinationPath: Tool.path)
    return ["PATH": "\(bin):/usr/local/bin:/usr/bin:/bin"]
  }

  /// All that was said on the board of a wave that is over.
  func board(ofWave wave: Int) throws -> [BoardLine] {
    let sessions = try conclave(["bus", "archive"]).output
    let row = try #require(
      sessions.split(separator: "\n").first { $0.contains("wave-\(wave)") }, "\(sessions)")
    let bus = try #require(row.range(of: "/")).lowerBound
    let outcome = try conclave([
      "board", "read", "--all", "--json", "--transport", "file", "--bus-dir", String(row[bus...]),
      "--topic", "parallel.wave-\(wave).board",
    ])
    struct Whole: Decodable { let items: [BoardLine] }
    return try JSONDecoder().decode(Whole.self, from: Data(outcome.output.utf8)).items
  }
}
