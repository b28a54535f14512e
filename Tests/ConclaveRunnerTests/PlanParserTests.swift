import BusTesting
import Testing

@testable import ConclaveRunner

/// The plan's grammar, with good plans and bad ones.
@Suite struct PlanParserTests {
  private static let usual = """
    # The plan

    Some words. ## Task 9: not at the beginning

    ## Task 1: Parse the options

    **Files:**
    - Create: `src/options.c`
    - Modify: `./src/main.c:10-40`, `Makefile`
    - Test: `tests/options.c`

    **Dependencies:** None

    Do it well.

    ### Task 20: Ünicode & more!

    Files: src/a.c:7
    Dependencies: Task 1 (the parser)

    # Appendix

    Not a part of it.
    """

  @Test func aUsualPlan() throws {
    let plan = try Plan(Self.usual)
    #expect(plan.tasks.map(\.id) == [1, 20] && plan.tasks.map(\.line) == [5, 16])
    let first = plan.tasks[0]
    #expect(first.title == "Parse the options" && first.slug == "parse-the-options")
    #expect(first.folderName == "task-1-parse-the-options")
    #expect(first.branchName == "task/1-parse-the-options")
    #expect(
      first.files == [
        PlanFile(path: "src/options.c", kind: .create),
        PlanFile(path: "src/main.c", kind: .modify, lines: 10...40),
        PlanFile(path: "Makefile", kind: .modify), PlanFile(path: "tests/options.c", kind: .test),
      ])
    #expect(first.dependencies == [] && first.saysDependencies)
    #expect(first.text.hasPrefix("## Task 1: Parse the options\n\n**Files"))
    #expect(first.text.hasSuffix("Do it well.\n\n"))
    let second = plan.tasks[1]
    #expect(second.slug == "nicode-more" && second.dependencies == [1])
    #expect(second.files == [PlanFile(path: "src/a.c", lines: 7...7)])
    #expect(second.text.hasSuffix("(the parser)\n\n"))
  }

  @Test func lineEndsAndByteOrderMark() throws {
    let windows = "\u{FEFF}" + Self.usual.replacing("\n", with: "\r\n")
    let plan = try Plan(windows)
    let usual = try Plan(Self.usual)
    #expect(plan.tasks.map(\.files) == usual.tasks.map(\.files))
    #expect(plan.tasks.map(\.title) == usual.tasks.map(\.title))
    #expect(plan.tasks[0].text == usual.tasks[0].text.replacing("\n", with: "\r\n"))
  }

  @Test func sectionsTogetherAreTheText() throws {
    let text = "## Task 1: a\n---\nx\n#### Deeper\ny\n### Task 2: b\n\n## Task 3: c ##"
    let tasks = try Plan(text).tasks
    #expect(tasks.map(\.text).joined() == text && tasks.map(\.title) == ["a", "b", "c"])
  }

  @Test(arguments: [
    "```\n## Task 2: no\nFiles: `x`\n```", "~~~~md\n## Task 2: no\n~~~\n```\n~~~~~",
    "- ```\n  ## Task 2: no\n## Task 3: no\n  ```", "<!-- ## Task 2: no\n## Task 3: no\n-->",
    "<!--\n```\n-->", "```\n<!--\n```", "    ## Task 2: no", "`<!--`\n\n`` ` <!-- ``",
    "text ## Task 2: no", "## Tasks\n", "### Task list: a", "##Task 2: no", "#### Tasks 2: no",
    "a <!-- b --> c <!-- d --> e", "<!-- Dependencies: Task 7 -->",
  ])
  func whatDoesNotCount(_ text: String) throws {
    let plan = try Plan("## Task 1: a\nDependencies: None\n\(text)\n\n## Task 4: b\n")
    #expect(plan.tasks.map(\.id) == [1, 4] && plan.tasks.allSatisfy(\.files.isEmpty))
    #expect(plan.tasks[0].dependencies == [] && plan.tasks[1].line > 3)
  }

  @Test func aFenceEndsWhatIsListed() throws {
    let plan = try Plan("## Task 1: a\nFiles:\n- `a`\n```\n- `b`\n```\n- `c` is good\n")
    #expect(plan.tasks[0].files.map(\.path) == ["a"])
  }

  @Test(
    arguments: [
      ("None", []), ("none.", []), ("None (Task 3 is optional)", []), ("N/A", []), ("-", []),
      ("None - can begin at once", []), ("*None*", []), ("Task 1, Task 2", [1, 2]),
      ("Tasks 1, 2 and 3", [1, 2, 3]), ("1-3", [1, 2, 3]), ("Task 2 (none others)", [2]),
      ("Tasks 2, 3", [2, 3]), ("task 1 and task 3.", [1, 3]), ("Tasks 1–3, and 7", [1, 2, 3, 7]),
      ("Tasks 2 to 4; 9", [2, 3, 4, 9]), ("`Task 1`, **Task 2**", [1, 2]), ("#4 & #5", [4, 5]),
      ("[Task 1](#task-1-a), [Task 2](#b)", [1, 2]), ("Task 3, 3, Task 1, 1-3", [3, 1, 2]),
      ("Task 1 (a (b) c), 2", [1, 2]), ("0", [0]), ("Task 1 through Task 3", [1, 2, 3]),
    ] as [(String, [Int])])
  func dependencies(_ text: String, _ ids: [Int]) throws {
    for label in ["Dependencies:", "**Dependencies:**", "**Dependencies**:", "- *Depends on:*"] {
      let plan = try Plan("## Task 9: a\n\(label) \(text)\n")
      #expect(plan.tasks[0].dependencies == ids && plan.tasks[0].saysDependencies, "\(label)")
    }
    let list = try Plan(
      "## Task 9: a\n\n#### Dependencies\n\n- \(text)\n\n- [ ] Task 55\n\n- [ ] Step 5\n")
    #expect(list.tasks[0].dependencies == ids + [55])
  }

  @Test(arguments: [
    ("Task", "a task is missing"), ("the parser", "\"the\" is not expected"),
    ("Task 1,", "a task is missing"), (", Task 1", "a separator is not expected"),
    ("Task 1 Task 2", "\"task\" is not expected"), ("3-1", "3-1 runs backwards"),
    ("Task 1.1", "are whole"), ("None, Task 2", "None, and names tasks"), ("1-", "is missing"),
    ("Task 99999999999999999999", "nine digits"), ("1-999999999", "too many"),
    ("Task 1 (x", "never closed"), ("Task 1 = 2", "\"=\" has no meaning"), ("1--3", "a dash"),
    ("all previous tasks", "\"all\""), ("nonesuch 2", "\"nonesuch\""),
  ])
  func wrongDependencies(_ text: String, _ words: String) throws {
    let error = #expect(throws: PlanError.self) {
      try Plan("## Task 9: a\n\nDependencies: \(text)\n")
    }
    #expect(error?.issues.map(\.code) == [.badDependencies] && error?.issues.first?.line == 3)
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
  }

  @Test func everythingIsSaidAtOnce() throws {
    let text = """
      ## Task 1 - no colon
      Dependencies: Task x
      # Task 2: too high
      Files:
      ### Task 3:
      Dependencies: Task 1
      Dependencies: Task 2
      ## Task 4: fine
      Files: /etc/passwd, `ok`
      ## Task 1.5: no
      ## **Task 6: bold**
      ## Task 1234567890: long
      """
    let error = #expect(throws: PlanError.self) { try Plan(text) }
    let issues = error?.issues ?? []
    #expect(issues.map(\.line) == [1, 2, 3, 4, 5, 7, 9, 10, 11, 12])
    #expect(issues.allSatisfy { !$0.hint.isEmpty })
    // Nobody is blamed for what is wrong with somebody else.
    #expect(PlanParser.read(Array(text.utf8)).plan.tasks.map(\.id) == [1, 2, 3, 4, 1, 6])
    let all = #expect(throws: PlanError.self) { try PlanGraph(reading: Array(text.utf8)) }
    #expect(all?.issues.contains { $0.code == .duplicateTask && $0.line == 10 } == true)
    #expect(all?.issues.contains { $0.code == .unknownTask } == false)
  }

  @Test(arguments: [("```\n", "the code fence"), ("<!-- x\n", "the comment")])
  func whatNeverEnds(_ text: String, _ what: String) throws {
    let error = #expect(throws: PlanError.self) {
      try Plan("## Task 1: a\n\n\(text)\n## Task 2: b\n")
    }
    #expect(error?.issues.map(\.code) == [.unreadable] && error?.issues.first?.line == 3)
    #expect(error?.description.contains(what) == true)
  }

  @Test func whatIsNoText() throws {
    let text = Array("## Task 1: a\n".utf8) + [0xFF, 0x0A] + Array("## Task 2: b\n".utf8)
    let error = #expect(throws: PlanError.self) { try Plan(text) }
    #expect(error?.issues.map(\.line) == [2])
    let large = [UInt8](repeating: 10, count: Plan.sizeLimit + 1)
    let tooLarge = #expect(throws: PlanError.self) { try Plan(large) }
    #expect(tooLarge?.issues.map(\.code) == [.tooLarge])
    #expect(try Plan("").tasks.isEmpty && Plan("\n\n# x\n").tasks.isEmpty)
  }

  @Test func titlesWithoutControlCharacters() throws {
    let task = try Plan("## Task 1: a\u{1B}[2Jb\tc 本\n").tasks[0]
    #expect(task.title == "a [2Jb c 本" && task.slug == "a-2jb-c")
    #expect(try Plan("## Task 7: 本\n").tasks[0].folderName == "task-7-task")
  }

  /// Whatever the text: an end, mistakes in lines that exist, and no part of the text twice.
  @Test(arguments: 0..<200) func anyText(_ seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let pieces = [
      "## Task ", "### Task 2: b", "1", "7", ": ", "\n", "\r\n", "\n\n", "Files:", "Dependencies:",
      "**", "- ", "  - ", "Create:", "`", "```\n", "~~~", "<!--", "-->", "(", ")", "None", "Task ",
      ",", "-", "and ", "a/b", "..", "/", ":10-20", ":", "#", "ü", "\u{FEFF}", "{", "}", "*",
      "[ ] ",
      "99999999999999999999", "\t", "\u{0}", "x", " ",
    ]
    var text = ""
    for _ in 0..<random.below(200) { text += random.pick(pieces) }
    var bytes = Array(text.utf8)
    if random.below(5) == 0, !bytes.isEmpty {
      for _ in 0..<10 { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
    }
    let (plan, issues) = PlanParser.read(bytes)
    let lineCount = bytes.count { $0 == UInt8(ascii: "\n") } + 1
    #expect((plan.tasks.map(\.line) + issues.map(\.line)).allSatisfy { 1...lineCount ~= $0 })
    #expect(plan.tasks.map(\.line) == plan.tasks.map(\.line).sorted())
    if let whole = String(validating: bytes, as: UTF8.self) {
      var rest = whole.unicodeScalars[...]
      for task in plan.tasks {
        let found = rest.firstRange(of: task.text.unicodeScalars)
        #expect(found != nil)
        rest = rest[(found?.upperBound ?? rest.endIndex)...]
      }
    }
    do {
      _ = try PlanGraph(reading: bytes, assumesIndependent: true)
      #expect(issues.isEmpty && !plan.tasks.isEmpty)
    } catch { #expect(error.issues.allSatisfy { 1...lineCount ~= $0.line }) }
  }
}
