import Foundation
import Testing

/// A repository on the branch `feature`, a plan, and an agent that is a shell script.
struct ParallelWorld {
  let home: URL
  let top: URL
  let environment: [String: String]

  /// A section of a plan.
  struct Task {
    var id: Int
    var files: [String] = []
    var needs: [Int] = []
  }

  static func plan(_ tasks: [Task]) -> String {
    tasks.map { task in
      let needs = task.needs.map { "Task \($0)" }.joined(separator: ", ")
      let files = task.files.map { "- Modify: `\($0)`\n" }.joined()
      return """
        ## Task \(task.id): Thing \(task.id)
        Do thing \(task.id).
        \(files.isEmpty ? "" : "**Files:**\n\(files)")
        **Dependencies:** \(needs.isEmpty ? "None" : needs)

        """
    }.joined(separator: "\n")
  }

  func conclave(_ arguments: [String], _ more: [String: String] = [:]) throws -> Outcome {
    try Tool.run(arguments, in: top, environment: environment.merging(more) { _, new in new })
  }

  /// Writes the plan and the agent's script, which finds the task's name in `$task`, its prompt in
  /// `$prompt`, and in `$home` a directory that all share.
  func prepare(_ tasks: [Task], agent script: String) throws {
    try write("plan.md", ParallelWorld.plan(tasks))
    try setAgent(script)
  }

  func setAgent(_ script: String) throws {
    try write(
      "agent.sh",
      """
      home='\(home.path)'
      prompt=$(cat)
      case $prompt in *'# Verdict'*) echo SPEC_PASS; exit;; esac
      task=$CONCLAVE_PARALLEL_TASK
      n=$(cat "$home/n-$task" 2>/dev/null || echo 0); n=$((n + 1)); echo $n > "$home/n-$task"
      printf '%s' "$prompt" > "$home/prompt-$task-$n"
      \(script)
      """)
    try write(
      "agent.json", "{\"command\":[\"/bin/sh\",\"\(home.path)/agent.sh\"]}")
  }

  var usual: [String] { ["parallel-run", "--agent", "../agent.json", "--plan", "../plan.md"] }

  func run(_ arguments: [String] = [], _ more: [String: String] = [:]) throws -> Outcome {
    try conclave(usual + arguments, more)
  }

  func start(_ arguments: [String] = []) throws -> Tool {
    try Tool(usual + arguments, in: top, environment: environment)
  }

  func resume(_ arguments: [String] = [], _ more: [String: String] = [:]) throws -> Outcome {
    try conclave(["parallel-run", "--resume"] + arguments, more)
  }

  func shell(_ line: String) throws -> String {
    let outcome = try Tool.shell(line, in: top)
    if outcome.exit != 0 { Issue.record("\(line): \(outcome.errors)") }
    return String(outcome.output.dropLast(outcome.output.hasSuffix("\n") ? 1 : 0))
  }

  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: home.appendingPathComponent(name))
  }

  func read(_ name: String) -> String {
    (try? String(contentsOf: home.appendingPathComponent(name), encoding: .utf8)) ?? ""
  }

  func has(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: home.appendingPathComponent(name).path)
  }

  /// The names and contents of all files of the branch, and nothing about commits.
  var tree: String { get throws { try shell("git rev-parse feature^{tree}") } }
  var subjects: [String] {
    get throws {
      try shell("git log --reverse --format=%s").split(separator: "\n").map(String.init)
    }
  }
  var branches: [String] {
    get throws {
      try shell("git for-each-ref --format='%(refname:short)' refs/heads").split(separator: "\n")
        .map(String.init)
    }
  }

  func summary(_ outcome: Outcome) throws -> [String: Any] {
    try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any],
      "\(outcome.errors)")
  }

  /// `merged failed skipped`, in plan order.
  func statuses(_ outcome: Outcome) throws -> [String] {
    let tasks = try #require(try summary(outcome)["tasks"] as? [[String: Any]])
    return tasks.compactMap { $0["status"] as? String }
  }

  /// Nothing of a run is left but the branch, its journal, its boards in the archive.
  func expectTidy(
    branches expected: [String] = ["feature"], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    #expect(try branches == expected, sourceLocation: sourceLocation)
    let worktrees = try shell("git worktree list --porcelain | grep -c ^worktree")
    #expect(worktrees == "1", sourceLocation: sourceLocation)
    let hasFolder = FileManager.default.fileExists(atPath: top.path + "/.worktrees")
    #expect(!hasFolder, sourceLocation: sourceLocation)
    #expect(try shell("git status --porcelain") == "", sourceLocation: sourceLocation)
    #expect(members == [], sourceLocation: sourceLocation)
    let bus = try FileManager.default.contentsOfDirectory(atPath: top.path + "/.conclave/bus")
    #expect(bus.filter { $0.hasPrefix("wave") } == [], sourceLocation: sourceLocation)
  }

  /// Processes that work, or worked, for this repository.
  var members: [String] {
    let mark = "CONCLAVE_FLEET=\(top.path)/.conclave/parallel"
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return all.filter { name in
      guard Int32(name) != nil,
        let data = FileManager.default.contents(atPath: "/proc/\(name)/environ")
      else { return false }
      return data.split(separator: 0).contains { String(decoding: $0, as: UTF8.self) == mark }
    }
  }
}

func withParallelWorld(
  tests: String = "true", _ body: (ParallelWorld) throws -> Void
) throws {
  try withDirectory { home in
    let top = home.appendingPathComponent("repo ü")
    try FileManager.default.createDirectory(at: top, withIntermediateDirectories: true)
    let world = ParallelWorld(
      home: home, top: top,
      environment: ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home.path])
    try Data("\(tests)\n".utf8).write(to: top.appendingPathComponent("test.sh"))
    _ = try world.shell(
      """
      git init -q -b feature . && git config user.name T && git config user.email t@localhost \
      && echo begin > work && git add -A && git commit -qm first
      """)
    try body(world)
  }
}
