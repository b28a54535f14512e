import BusTesting
import Foundation
import Testing

/// What the command says of a plan before it does anything.
@Suite(.blocking) struct PlanCommandTests {
  private static let plan = """
    # Plan
    ## Task 1: Parse "it"
    Files: `src/parse.c`, `README.md`
    Dependencies: None
    ## Task 2: Print ü
    Files: `src/print.c`, `README.md`
    Dependencies: None
    ## Task 3: Join
    Dependencies: Tasks 1 and 2
    """

  @Test func aPlanAsText() throws {
    try withPlan(Self.plan) { world in
      let outcome = try world.run([])
      #expect(
        outcome
          == Outcome(
            exit: 0,
            output: """
              plan ä.md: 3 tasks in 3 waves

              Wave 0
                1  Parse "it"

              Wave 1
                2  Print ü  (behind 1)

              Wave 2
                3  Join  (behind 1, 2)

              Because of files alone
                2 waits for 1: both change README.md

              Critical path: 1, 2, 3
              Name no files, so that collisions are not foreseen: 3

              """, errors: ""))
    }
  }

  @Test func aPlanAsJSON() throws {
    try withPlan(Self.plan) { world in
      let outcome = try world.run(["--json"])
      #expect(outcome.exit == 0 && outcome.errors.isEmpty)
      #expect(outcome.output.split(separator: "\n").count == 1)
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
      #expect(object["waves"] as? Int == 3 && object["criticalPath"] as? [Int] == [1, 2, 3])
      #expect((object["hindrances"] as? [Any])?.isEmpty == true)
      let tasks = try #require(object["tasks"] as? [[String: Any]])
      #expect(tasks.map { $0["wave"] as? Int } == [0, 1, 2])
      #expect(tasks[0]["branch"] as? String == "task/1-parse-it")
      #expect(tasks[0]["line"] as? Int == 2 && tasks[1]["behind"] as? [Int] == [1])
      #expect(tasks[1]["dependencies"] as? [Int] == [] && tasks[2]["title"] as? String == "Join")
      let files = try #require(tasks[0]["files"] as? [[String: Any]])
      #expect(files.map { $0["path"] as? String } == ["src/parse.c", "README.md"])
      let overlaps = try #require(object["overlaps"] as? [[String: Any]])
      #expect(
        overlaps.count == 1 && overlaps[0]["reasons"] as? [String] == ["both change README.md"])
    }
  }

  @Test func drawings() throws {
    try withPlan(Self.plan) { world in
      #expect(
        try world.run(["--graph", "text"]).output == """
          1 Parse "it"
            2 Print ü  <- 1*
              3 Join  <- 1, 2

          """)
      let dot = try world.run(["--graph=dot"]).output
      #expect(dot.hasPrefix("digraph plan {\n") && dot.hasSuffix("}\n"))
      #expect(dot.contains("  1 [label=\"1: Parse \\\"it\\\"\", style=bold];\n"))
      #expect(dot.contains("  1 -> 3;\n") && dot.contains("  1 -> 2 [style=dashed, label=\"both"))
    }
  }

  @Test func everyMistakeIsSaid() throws {
    let bad = "## Task 1: a\nDependencies: Task 1\n## Task 1: b\n## Task 2: c\nDependencies: x\n"
    try withPlan(bad) { world in
      let outcome = try world.run([])
      #expect(outcome.exit == 2 && outcome.output.isEmpty)
      let lines = outcome.errors.split(separator: "\n")
      #expect(lines.count == 4 && lines.allSatisfy { $0.hasPrefix("conclave: plan ä.md:") })
      #expect(lines[0].contains("plan ä.md:1: task 1 depends on itself; leave it out"))
      let json = try world.run(["--json"])
      #expect(json.exit == 2 && json.output.isEmpty)
      #expect(json.errors.hasPrefix("{\"error\":{\"code\":\"dependsOnItself\",\"message\":"))
      #expect(json.errors.split(separator: "\n").count == 4)
    }
  }

  @Test func manyMistakes() throws {
    try withPlan(String(repeating: "## Task 1: a\n", count: 300)) { world in
      let lines = try world.run([]).errors.split(separator: "\n")
      #expect(lines.count == 101 && lines[100].contains("499 more mistakes"))
      #expect(try world.run(["--assume-independent"]).exit == 2)
    }
  }

  @Test func tasksWithoutDependencies() throws {
    try withPlan("## Task 1: a\n## Task 2: b\n") { world in
      #expect(try world.run([]).exit == 2)
      let outcome = try world.run(["--assume-independent"])
      #expect(outcome.exit == 0 && outcome.output.hasPrefix("plan ä.md: 2 tasks in 1 wave\n"))
    }
  }

  @Test func planFromStandardInput() throws {
    try withPlan("") { world in
      let outcome = try world.run(plan: "-", [], input: Self.plan)
      #expect(outcome.exit == 0 && outcome.output.hasPrefix("standard input: 3 tasks"))
    }
  }

  /// The plan is shown all the same; the exit code is that of a run.
  @Test func hindrances() throws {
    try withPlan(Self.plan) { world in
      #expect(try world.shell("echo more >> work; git branch -m main").exit == 0)
      let outcome = try world.run(["--agent", "codex"])
      #expect(outcome.exit == 2 && outcome.output.hasPrefix("plan ä.md: 3 tasks"))
      let lines = outcome.errors.split(separator: "\n")
      #expect(lines.count == 3 && lines.allSatisfy { $0.hasPrefix("conclave: ") })
      #expect(
        lines[0].contains("main is protected") && lines[1].contains("not committed: \"work\""))
      #expect(lines[2].contains("the agent codex cannot be run"))
      let json = try world.run(["--json", "--allow-protected"])
      #expect(json.exit == 2 && json.output.contains("\"hindrances\":[{\"code\":\"unsupported\""))
      #expect(json.errors.hasPrefix("{\"error\":{\"code\":\"unsupported\""))
      #expect(try world.shell("git stash -q && git switch -q --detach").exit == 0)
      #expect(try world.run([]).errors.contains("HEAD is detached"))
      #expect(try world.shell("git status --porcelain --ignored").output.isEmpty)
    }
  }

  @Test func aTreeInAnother() throws {
    try withPlan(Self.plan) { world in
      let made = "git worktree add -q -b task/7-x '../wörk trees/task-7-x'"
      #expect(try world.shell(made).exit == 0)
      let inside = world.home.appendingPathComponent("wörk trees/task-7-x")
      let outcome = try world.run(plan: "../../plan ä.md", [], in: inside)
      #expect(outcome.exit == 2 && outcome.errors.contains("itself a task of a plan"))
      let outside = try world.run(plan: "plan ä.md", [], in: world.home)
      #expect(outside.exit == 3 && outside.output.hasPrefix("plan ä.md: 3 tasks"))
      let variable = ["PARALLEL_WORKTREE_DIR": "work"]
      #expect(try world.run([], environment: variable).errors.contains("is not a directory"))
    }
  }

  @Test(arguments: [
    ([], 2, "option --plan is missing"), (["--plan", "x.md"], 3, "there is no file \"x.md\""),
    (["--plan", "x.md", "--graph", "dot"], 2, "--graph only draws"),
    (["--resume"], 3, "no plan was begun in this repository"),
    (["--resume", "--fresh"], 2, "--resume and --fresh exclude each other"),
    (["--retry", "--plan", "work"], 2, "--retry is only for a run that goes on"),
    (["--dry-run"], 2, "option --plan is missing"),
    (["--dry-run", "--plan", "x.md"], 3, "there is no file \"x.md\""),
    (["--dry-run", "--plan", "."], 2, "\".\" is no regular file"),
    (["--dry-run", "--plan", "/dev/null", "--graph", "png"], 2, "write dot or text"),
    (["--dry-run", "--plan", "work", "--graph", "dot", "--json"], 2, "exclude each other"),
    (["--dry-run", "--plan", "work", "--agent", "claud"], 2, "there is no agent \"claud\""),
    (["--dry-run", "--plan", "work"], 2, "work:1: the plan has no tasks"),
  ])
  func mistakes(_ arguments: [String], _ exit: Int, _ words: String) throws {
    try withPlan("") { world in
      let outcome = try Tool.run(
        ["parallel-run"] + arguments, in: world.top, environment: world.environment)
      #expect(outcome.exit == Int32(exit) && outcome.output.isEmpty, "\(outcome)")
      #expect(outcome.errors.contains(words) && outcome.errors.split(separator: "\n").count == 1)
    }
  }
}

/// A repository on the branch `feature` with a file `work`, and a plan beside it that git does not
/// know.
private struct PlanWorld {
  let home: URL
  let top: URL
  let environment: [String: String]

  func run(
    plan: String = "../plan ä.md", _ arguments: [String], in directory: URL? = nil,
    environment more: [String: String] = [:], input: String = ""
  ) throws -> Outcome {
    var outcome = try Tool.run(
      ["parallel-run", "--dry-run", "--agent", home.appendingPathComponent("agent.json").path]
        + ["--plan", plan] + arguments, in: directory ?? top,
      environment: environment.merging(more) { $1 }, input: input)
    // Whichever way the plan is named.
    outcome.output.replace("../", with: "")
    outcome.errors.replace("../", with: "")
    return outcome
  }

  func shell(_ line: String) throws -> Outcome { try Tool.shell(line, in: top) }
}

private func withPlan(_ text: String, _ body: (PlanWorld) throws -> Void) throws {
  try withDirectory { home in
    let top = home.appendingPathComponent("repo ü")
    try FileManager.default.createDirectory(at: top, withIntermediateDirectories: true)
    let environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home.path]
    let world = PlanWorld(home: home, top: top, environment: environment)
    try Data(text.utf8).write(to: home.appendingPathComponent("plan ä.md"))
    try Data("{\"command\":[\"/bin/sh\"]}".utf8)
      .write(to: home.appendingPathComponent("agent.json"))
    let made = try world.shell(
      """
      git init -q -b feature . && git config user.name T && git config user.email t@localhost \
      && echo begin > work && git add -A && git commit -qm first
      """)
    try #require(made.exit == 0, "\(made.errors)")
    try body(world)
  }
}
