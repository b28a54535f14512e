import BusTesting
import Foundation
import Testing

/// What a newcomer runs first.
@Suite(.blocking) struct DemoTests {
  @Test func twoTasksAreDoneBesideEachOther() throws {
    try withDirectory { directory in
      let outcome = try Tool.run(
        ["parallel-run", "--demo"], in: directory,
        environment: [
          "PATH": "/usr/local/bin:/usr/bin:/bin", "TMPDIR": directory.path,
          "HOME": directory.path, "BUS_DIR": "/nowhere",
        ])
      #expect(outcome.exit == 0, "\(outcome.errors)")
      #expect(outcome.output.components(separatedBy: " merged ").count == 3)
      #expect(outcome.errors.contains("task-1 says, discovery: sentences end with a full stop"))
      let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
      let name = try #require(names.first { $0.hasPrefix("conclave-demo-") })
      let repository = directory.appendingPathComponent(name)
      #expect(outcome.errors.contains("$ cd \(repository.path) && conclave parallel-run "))
      let log = try Tool.shell("git log --format=%s && git status --short", in: repository)
      #expect(log.output == "Task 2: Part\nTask 1: Greet\nBegin with a plan\n")
      let text = try String(
        contentsOf: repository.appendingPathComponent("greeting.txt"), encoding: .utf8)
      #expect(text == "Good morning.\n")
      // It can be done again, in another one.
      let again = try Tool.shell("conclave parallel-run --dry-run --plan plan.md", in: repository)
      #expect(again.output.contains("Greet"))
    }
  }

  /// It has a plan and an agent of its own.
  @Test(arguments: [["--plan", "x"], ["--agent", "x", "--json"], ["--dry-run"], ["--fresh"]])
  func nothingElseIsAskedOfIt(_ more: [String]) throws {
    try withDirectory { directory in
      let outcome = try Tool.run(
        ["parallel-run", "--demo"] + more, in: directory,
        environment: ["PATH": "/usr/local/bin:/usr/bin:/bin", "TMPDIR": directory.path])
      #expect(outcome.exit == 2 && outcome.errors.contains(more[0]), "\(outcome.errors)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [])
    }
  }

  @Test func withoutGit() throws {
    try withDirectory { directory in
      let outcome = try Tool.run(
        ["parallel-run", "--demo"], in: directory,
        environment: ["PATH": "/nowhere", "TMPDIR": directory.path])
      #expect(outcome.exit == 3 && outcome.errors.contains("git"))
    }
  }
}
