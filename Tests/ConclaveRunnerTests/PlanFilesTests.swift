import BusTesting
import Testing

@testable import ConclaveRunner

/// What a plan says of files.
@Suite struct PlanFilesTests {
  private func files(_ text: String) throws -> [String] {
    try Plan("## Task 1: a\n\(text)").tasks[0].files.map { file in
      let lines = file.lines.map { " \($0.lowerBound)-\($0.upperBound)" } ?? ""
      return "\(file.kind.rawValue) \(file.path)\(lines)"
    }
  }

  @Test(arguments: [
    ("Create: `a`", ["create a"]), ("Modify: a.c, b.c", ["modify a.c", "modify b.c"]),
    ("Test: `t/a b.c`", ["test t/a b.c"]), ("`a`", ["modify a"]), ("None", []), ("N/A", []),
    ("`a:10`", ["modify a 10-10"]), ("`a:10-20,5-7`", ["modify a 5-20"]),
    ("a.c:3–4", ["modify a.c 3-4"]), ("`a:`", ["modify a"]), ("Modify: x:", ["modify x"]),
    ("`a:b`", ["modify a:b"]), ("`./a//b/../c/`", ["modify a/c"]), ("`.`", ["modify ."]),
    ("**Create:** `a`", ["create a"]), ("Create `a` and `b`", ["create a", "create b"]),
    ("`a` (new), `b` (see (c))", ["modify a", "modify b"]), ("`a` - adds `foo()`", ["modify a"]),
    ("`a` `b`", ["modify a", "modify b"]), ("Rename: `a` → `b`", ["modify a", "modify b"]),
    ("`a` (\\`b\\`)", ["modify a"]), ("`app/[id]/*.ts`", ["modify app/[id]/*.ts"]),
    ("``a`b``", ["modify a`b"]), ("Delete: old.c", ["modify old.c"]), ("*.md", ["modify *.md"]),
  ])
  func lines(_ text: String, _ expected: [String]) throws {
    #expect(try files("Files:\n- \(text)\n") == expected)
    #expect(try files("**Files:** \(text)\n") == expected)
  }

  @Test(arguments: [
    ("x: y", "none of Create"), ("x:", "none of Create"), ("All view models", "is a path"),
    ("`a", "never closed"), ("`a`,", "is missing"), ("/etc/passwd", "absolute"),
    ("`~/a`", "absolute"), ("`../a`", "leads out"), ("`a/../../b`", "leads out"),
    ("`a:0`", "no lines"), ("`a:9-3`", "no lines"), ("`a:1-99999999999999999999`", "no lines"),
    ("`a:1-2-3`", "no lines"), ("`:10`", "no path"), ("``", "never closed"), ("` `", "no path"),
    ("`a\u{1B}b`", "cannot be a path"), ("`{a/b,c}`", "slash in braces"), ("`a` (b", "parenthesis"),
    ("Create: `a`, `/b`", "absolute"), (", `a`", "no path"),
  ])
  func mistakes(_ text: String, _ words: String) throws {
    let error = #expect(throws: PlanError.self) { try files("\nFiles:\n- \(text)\n") }
    #expect(error?.issues.map(\.code) == [.badFiles] && error?.issues.first?.line == 4)
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
  }

  /// As people and agents write them.
  @Test func lists() throws {
    #expect(
      try files(
        """
        - **Files likely touched:**
            - `Package.swift`
            - Create: `Sources/A.swift`
        - **Estimated scope:** Small
        """) == ["modify Package.swift", "create Sources/A.swift"])
    #expect(
      try files(
        """
        **Files:**

        - Create: `a`
          with a long remark
          - which has parts
        - Test: `b`

        - Modify: `c`

        - [ ] **Step 1: Write the test**
        - Modify: `d`
        """) == ["create a", "test b", "modify c"])
    #expect(
      try files(
        """
        **Files**:
        Create: `a`
        Modify: `b`
        Then do something with `c`.
        """) == ["create a", "modify b"])
    #expect(
      try files(
        """
        Files:
        - Create:
          - `a`
          - `b`
        - `c`
        * Test:
            1. `d`

        Files: e
        """) == ["create a", "create b", "modify c", "test d", "modify e"])
    #expect(try files("#### Files\n\n- `a`\n\n#### Steps\n\n- `b`\n") == ["modify a"])
  }

  @Test(arguments: ["Files:\n", "Files:\n\nSome words.\n", "- Files:\n- `a`\n", "Files:\n#### x\n"])
  func nothingBehindFiles(_ text: String) throws {
    let error = #expect(throws: PlanError.self) { try files(text) }
    #expect(error?.issues.map(\.code) == [.badFiles])
    #expect(error?.description.contains("line 2: nothing stands behind Files") == true)
  }

  @Test(arguments: [
    ("a", "a", true), ("a", "b", false), ("src", "src/a", true), ("src", "src2/a", false),
    ("src/A.c", "SRC/a.c", true), ("src/*.c", "src/a.c", true), ("src/*.c", "src/a.h", false),
    ("src/*.c", "src/x/a.c", false), ("src/**", "src/x/a.c", true), ("**/*.c", "a.c", true),
    ("**/a.c", "x/y/a.c", true), ("**/a.c", "x/y/b.c", false), ("*.c", "?.c", true),
    ("a*c", "ab*d", false), ("a*c", "*b*", true), (".", "x/y", true), (".", "*.c", true),
    ("src/*", "src/a/b.c", true), ("src/*/b.c", "src/a", true), ("src/*/b.c", "src/a.c", false),
    ("src/{a,b}.c", "src/a.c", true), ("app/[id]/x", "app/[id]/x", true),
    ("app/[id]/x", "app/i/x", false), ("a/**/b", "a/b", true), ("a/**/b", "a/x/y/b/z", true),
    ("**/x.md", "src/y.md", false), ("**/x.md", "src", true), ("", "a", false),
    ("ü", "u\u{308}", true), ("?", "ab", false), ("**", "a", true),
    (".github", ".github/*.yml", true),
  ])
  func overlapsOfPaths(_ left: String, _ right: String, _ overlap: Bool) {
    let paths = (PlanPath(left.isEmpty ? "b" : left), PlanPath(right))
    #expect(paths.0.mayOverlap(paths.1) == overlap && paths.1.mayOverlap(paths.0) == overlap)
    let all = [paths.0, PlanPath("src/zzz"), paths.1]
    let found = PlanPathIndex(all).overlappingPairs().map { [$0.0, $0.1].sorted() }
    let expected = [[0, 1], [0, 2], [1, 2]].filter { all[$0[0]].mayOverlap(all[$0[1]]) }
    #expect(found.sorted { $0[0] + $0[1] < $1[0] + $1[1] } == expected)
  }

  /// Against the plainest thing that could be right: all names over a small alphabet.
  @Test func patternsAgainstAllNames() {
    let letters = ["a", "b", "*", "?"]
    let patterns = (1...3).flatMap { words(letters, $0) }
    let names = (0...4).flatMap { words(["a", "b", "c"], $0) }
    let matched = patterns.map { pattern in Set(names.filter { matches(pattern[...], $0[...]) }) }
    for (i, left) in patterns.enumerated() {
      for (j, right) in patterns.enumerated() {
        let both = !matched[i].isDisjoint(with: matched[j])
        #expect(PlanPattern.mayMatch(left, right) == both, "\(left) \(right)")
      }
    }
  }

  private func words(_ letters: [String], _ length: Int) -> [String] {
    length == 0 ? [""] : words(letters, length - 1).flatMap { word in letters.map { word + $0 } }
  }

  private func matches(_ pattern: Substring, _ name: Substring) -> Bool {
    guard let first = pattern.first else { return name.isEmpty }
    let rest = pattern.dropFirst()
    if first == "*" {
      return matches(rest, name) || (!name.isEmpty && matches(pattern, name.dropFirst()))
    }
    guard let letter = name.first, first == "?" || first == letter else { return false }
    return matches(rest, name.dropFirst())
  }
}
