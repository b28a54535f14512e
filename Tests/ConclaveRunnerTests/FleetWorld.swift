import BusTesting
import ConclaveBus
import Glibc
import Testing

@testable import ConclaveRunner

/// A repository on the branch `feature`, at a path with spaces and umlauts, and what a run of a
/// plan does with it. Git blocks; tests call it on threads of their own.
final class FleetWorld: Sendable {
  let world: LoopWorld
  let git: GitCommand

  init() throws {
    world = try LoopWorld(tests: nil)
    git = try GitCommand(in: world.top, environment: ProcessEnvironment.inherited())
  }

  var top: String { world.top }
  var head: String { get throws { try git.must(["rev-parse", "HEAD"]) } }
  var status: String {
    get throws { try git.must(["status", "--porcelain", "--untracked-files=all"]) }
  }

  /// A commit with some files changed or removed, on top of `base`, that no branch has.
  func commit(_ files: [String: String?], onto base: String) throws -> String {
    let index = world.home.appending("index-\(files.hashValue)")
    defer { unsafe unlink(index) }
    try git.must(["read-tree", base], index: index)
    for (path, text) in files {
      guard let text else {
        try git.must(["update-index", "--force-remove", "--", path], index: index)
        continue
      }
      let blob = try git.must(["hash-object", "-w", "--stdin"], input: text)
      try git.must(
        ["update-index", "--add", "--cacheinfo", "100644,\(blob),\(path)"], index: index)
    }
    let tree = try git.must(["write-tree"], index: index)
    return try git.must(["commit-tree", tree, "-p", base, "-m", "a commit"])
  }

  func content(_ path: String, in commit: String) throws -> String? {
    let result = try git.run(["cat-file", "-p", "\(commit):\(path)"])
    return result.succeeded ? result.output.text : nil
  }

  var memo: String { world.home.appending("memo") }

  func advance(_ branch: String = "feature") -> BranchAdvance {
    BranchAdvance(git: git, branch: branch, memo: memo)
  }

  func repair() -> CheckoutRepair {
    CheckoutRepair(git, branch: "feature", memo: memo, patience: .zero)
  }

  func place(_ id: Int = 1, base: String) -> TaskPlace {
    TaskPlace(
      PlanTask(id: id, title: "Do something", text: ""), base: base,
      worktrees: "\(top)/.worktrees", logs: world.home.path)
  }

  func worktree(_ place: TaskPlace) -> TaskWorktree { TaskWorktree(git: git, place: place) }
}

/// Runs `body` with a repository, where it may block.
func withFleetWorld(_ body: @escaping @Sendable (FleetWorld) throws -> Void) async throws {
  try await onThread { try body(FleetWorld()) }
}
