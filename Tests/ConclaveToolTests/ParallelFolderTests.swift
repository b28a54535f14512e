import BusTesting
import Foundation
import Testing

/// Where the worktrees of tasks are told to be, among the user's own files.
@Suite(.blocking) struct ParallelFolderTests {
  @Test func aFolderWithTrackedFilesIsRefused() throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1)], agent: "echo precious > src/new; echo change >> src/a")
      _ = try world.shell(
        "mkdir src; echo a > src/a; ln -s \"$PWD/src\" ../link; git add -A; git commit -qm src")
      let before = try world.shell("cat .git/info/exclude")
      let ways = ["src", "./src/", "src/../src", ".", "\(world.top.path)/src", "../link"]
      for way in ways {
        for more in [["--dry-run"], []] {
          let outcome = try world.run(["--worktree-dir", way] + more)
          #expect(outcome.exit == 2, "\(way): \(outcome.errors)")
          #expect(outcome.errors.contains("has files that are committed"), "\(outcome.errors)")
          #expect(outcome.errors.contains("--worktree-dir"))
        }
      }
      #expect(try world.shell("cat .git/info/exclude") == before)
      #expect(try world.subjects == ["first", "src"])
    }
  }

  /// What tasks and the user put beside the worktrees is theirs.
  @Test(arguments: ["trees", "./a [b]/trees/"])
  func newFilesBesideWorktreesAreSeen(_ folder: String) throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1)],
        agent: "mkdir -p '\(folder)'; echo precious > '\(folder)/new'")
      let outcome = try world.run(["--worktree-dir", folder])
      #expect(outcome.exit == 0, "\(outcome.errors)")
      let name = folder == "trees" ? folder : "a [b]/trees"
      #expect(try world.shell("git show 'feature:\(name)/new'") == "precious")
      #expect(try world.shell("git status --porcelain") == "")
      _ = try world.shell("echo > '\(name)/mine'; mkdir '\(name)/task-1-x'")
      _ = try world.shell("echo > '\(name)/task-1-x/file'")
      let status = try world.shell("git -c core.quotePath=false status --porcelain")
      #expect(status.hasSuffix("\(name)/mine") || status.hasSuffix("\(name)/mine\""))
    }
  }
}
