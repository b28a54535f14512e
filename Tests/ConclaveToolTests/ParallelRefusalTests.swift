import BusTesting
import Foundation
import Testing

/// What a repository has that a run cannot do with, said in one line before anything is changed.
@Suite(.blocking) struct ParallelRefusalTests {
  /// No other branch can then be named `wip/...`.
  @Test func aBranchWip() throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1)], agent: "exit 1")
      _ = try world.shell("git branch wip")
      for more in [["--dry-run"], []] {
        let outcome = try world.run(more)
        #expect(outcome.exit == 5, "\(outcome.errors)")
        #expect(outcome.errors.contains("there is a branch wip already"), "\(outcome.errors)")
        #expect(outcome.errors.contains("git branch -m"))
      }
      #expect(try world.branches == ["feature", "wip"])
      // One that comes later costs nothing that was done.
      _ = try world.shell("git branch -m wip other")
      try world.setAgent("echo precious > precious.txt; git branch wip; exit 1")
      let failed = try world.run(["--max-iterations", "1"])
      #expect(failed.errors.contains("there is a branch wip already"), "\(failed.errors)")
      #expect(failed.errors.contains("the work of task-1 stays in"), "\(failed.errors)")
      _ = try world.shell("git branch -D wip")
      try world.setAgent("echo > $task")
      let next = try world.resume(["--retry"])
      #expect(next.exit == 0, "\(next.errors)")
      try world.expectKept()
    }
  }

  /// Where git calls the repository the main worktree, and where a branch's short name is not its
  /// own.
  @Test(arguments: [
    "git init -q --separate-git-dir ../elsewhere.git",
    "mv .git ../elsewhere.git; ln -s ../elsewhere.git .git",
    "git tag feature; git tag task/1-thing-1",
  ])
  func unusualRepositories(_ line: String) throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1), .init(id: 2, needs: [1])], agent: "echo > $task")
      _ = try world.shell(line)
      #expect(try world.run(["--dry-run"]).exit == 0)
      let outcome = try world.run()
      #expect(outcome.exit == 0, "\(outcome.errors)")
      #expect(try world.shell("ls task-*") == "task-1\ntask-2")
      #expect(try world.branches == ["feature"] || world.branches == ["heads/feature"])
    }
  }

  /// Also what only the loops need to know, and also when nothing is to be done.
  @Test(arguments: [
    ["--max-concurrent", "0"], ["--max-cost", "nan"], ["--implement-timeout", "0"],
    ["--max-iterations", "0"], ["--board-limit", "-1"], ["--board-transport", "pigeon"],
    ["--radar-interval", "0"], ["--plan", "."], ["--plan", "/dev/null"],
  ])
  func mistakesAreFoundAtOnce(_ words: [String]) throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1)], agent: "echo > $task")
      for more in [[], ["--dry-run"]] {
        let outcome = try world.run(words + more)
        #expect(outcome.exit == 2 && !outcome.errors.contains("there is no file"))
        #expect(outcome.errors.split(separator: "\n").count == 1)
      }
      #expect(!world.has("repo ü/.conclave") && !world.has("repo ü/.worktrees"))
    }
  }

  @Test func aFileConclave() throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1)], agent: "echo > $task")
      try world.write("repo ü/.conclave", "mine\n")
      for more in [["--dry-run"], [], ["--fresh"], ["--resume"]] {
        let outcome = try world.run(more)
        #expect(outcome.exit == 2, "\(outcome.errors)")
        #expect(outcome.errors.contains("/.conclave\" is not a directory"), "\(outcome.errors)")
        #expect(!outcome.errors.contains("script"))
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.count == 1, "\(outcome.errors)")
      }
      #expect(world.read("repo ü/.conclave") == "mine\n")
    }
  }

  @Test func aGitDirectoryThatNobodyMayWrite() throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1)], agent: "echo > $task")
      for folder in [".git", ".git/objects"] {
        _ = try world.asNobody("chmod -R a-w \(folder)")
        for more in ["--dry-run", ""] {
          let outcome = try world.asNobody(
            "conclave parallel-run --agent ../agent.json --plan ../plan.md \(more)")
          #expect(outcome.exit == 7, "\(outcome.errors)")
          #expect(outcome.errors.contains(folder) && outcome.errors.contains("permissions"))
        }
        _ = try world.asNobody("chmod -R u+w .git")
      }
    }
  }
}
