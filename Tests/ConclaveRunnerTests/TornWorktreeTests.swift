import BusTesting
import ConclaveBus
import Glibc
import Testing

@testable import ConclaveRunner

/// Git, killed at each moment at which a worktree that it makes or removes looks different.
@Suite struct TornWorktreeTests {
  enum Work: String, CaseIterable {
    case add, remove
  }

  @Test(
    .heavy, .enabled("strace may trace here") { try await straceWorks() },
    arguments: Work.allCases)
  func aGitMayBeKilledAnywhere(_ work: Work) async throws {
    try await withFleetWorld { world in
      let place = try world.place(base: world.head)
      for count in 1...1000 {
        if work == .remove { try world.worktree(place).make() }
        let exit = try killedGit(world, words(work, place), at: count)
        do {
          try TornWorktrees(world.git).mend()
          try expectUsableAgain(world, place)
        } catch {
          Issue.record("killed at call \(count): \(error)")
          throw error
        }
        guard exit == .code(0) else { continue }
        #expect(count > (work == .add ? 40 : 20), "far too few calls were seen")
        // Of what is half removed nobody knows that it was not an agent who removed it.
        if work == .add { #expect(try world.git.must(["branch", "--list", "wip/*"]) == "") }
        return
      }
      Issue.record("git never came to its end")
    }
  }

  private func words(_ work: Work, _ place: TaskPlace) -> [String] {
    switch work {
    case .add: ["add", "--quiet", "--no-track", "-b", place.branch, place.worktree, place.base]
    case .remove: ["remove", "--force", "--force", place.worktree]
    }
  }

  /// Between any two of the calls the disk is different, and what was opened is not written yet.
  private func killedGit(
    _ world: FleetWorld, _ words: [String], at count: Int
  ) throws -> ChildProcess.Exit {
    let calls = "write,close,mkdir,rename,unlink,link,rmdir"
    let strace = [
      "-f", "-o", "/dev/null", "-e", "trace=\(calls)", "-e",
      "inject=\(calls):signal=KILL:when=\(count)", "git", "-C", world.top, "worktree",
    ]
    return try ChildProcess("/usr/bin/strace", strace + words).wait()
  }

  private func expectUsableAgain(_ world: FleetWorld, _ place: TaskPlace) throws {
    let worktree = world.worktree(place)
    for lock in try RefLocks(git: world.git, branch: "feature", tasks: [place.branch]).find() {
      unsafe unlink(lock)
    }
    _ = try worktree.makeAgain()
    try #require(worktree.isUsable && Files.text("\(place.worktree)/work") == "begin\n")
    try worktree.remove()
    try #require(try !worktree.hasRemains() && !Files.exists(place.worktree))
    try #require(!Files.exists("\(world.top)/.git/worktrees"))
  }
}
