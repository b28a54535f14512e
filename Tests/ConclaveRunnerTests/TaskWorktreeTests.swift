import BusTesting
import ConclaveBus
import Glibc
import Testing

@testable import ConclaveRunner

/// Worktrees of tasks, made, killed half-way, kept and removed.
@Suite struct TaskWorktreeTests {
  @Test func madeAndRemoved() async throws {
    try await withFleetWorld { world in
      let place = try world.place(base: world.head)
      let worktree = world.worktree(place)
      try worktree.make()
      #expect(place.branch == "task/1-do-something" && worktree.isUsable)
      #expect(Files.text("\(place.worktree)/work") == "begin\n")
      #expect(try !worktree.hasWork() && worktree.keep("nothing") == nil)
      #expect { try worktree.make() } throws: { ($0 as? BusError)?.code == .busy }
      try worktree.remove()
      #expect(try !worktree.hasRemains() && !Files.exists(place.worktree))
      try worktree.remove()
    }
  }

  @Test func workIsKeptWhereverItIs() async throws {
    try await withFleetWorld { world in
      let place = try world.place(base: world.head)
      let worktree = world.worktree(place)
      try worktree.make()
      Files.write("\(place.worktree)/new", "unsaved\n")
      #expect(try worktree.hasWork())
      let kept = try #require(try worktree.keep("failed"))
      #expect(kept.hasPrefix("wip/") && kept.contains("task-1"))
      #expect(try world.content("new", in: kept) == "unsaved\n")
      // Committed, and the worktree is gone.
      try world.git.elsewhere(place.worktree).must(["add", "new"])
      try world.git.elsewhere(place.worktree).must(["commit", "--quiet", "-m", "x"])
      try worktree.removeWorktree()
      let second = try #require(try worktree.keep("failed"))
      #expect(try world.content("new", in: second) == "unsaved\n" && second != kept)
    }
  }

  @Test func hiddenWorkIsWork() async throws {
    try await withFleetWorld { world in
      let place = try world.place(base: world.head)
      let worktree = world.worktree(place)
      try worktree.make()
      #expect(try !worktree.hasWork())
      Files.write("\(place.worktree)/.gitignore", "*\n")
      Files.write("\(place.worktree)/new", "n\n")
      #expect(try worktree.hasWork())
    }
  }

  @Test(arguments: [
    "usable", "no worktree", "half made", "locked", "empty", "nothing", "stale lock",
  ])
  func whatAKillLeavesIsTakenUp(_ state: String) async throws {
    try await withFleetWorld { world in
      let place = try world.place(base: world.head)
      let worktree = world.worktree(place)
      if state != "nothing" { try worktree.make() }
      let folder = "\(world.top)/.git/worktrees/task-1-do-something"
      switch state {
      case "usable": Files.write("\(place.worktree)/new", "half\n")
      case "no worktree": try worktree.removeWorktree()
      case "half made": unsafe unlink("\(place.worktree)/.git")
      case "locked":
        Files.write("\(folder)/locked", "initializing")
        unsafe unlink("\(place.worktree)/.git")
      case "empty":
        try worktree.removeWorktree()
        unsafe mkdir(place.worktree, 0o700)
      case "stale lock": Files.write("\(folder)/index.lock", "")
      default: break
      }
      _ = try worktree.makeAgain()
      #expect(worktree.isUsable && Files.text("\(place.worktree)/work") == "begin\n")
      #expect(Files.exists("\(place.worktree)/new") == (state == "usable"))
      try world.git.elsewhere(place.worktree).must([
        "commit", "--quiet", "--allow-empty", "-m", "x",
      ])
      try worktree.remove()
      #expect(try !worktree.hasRemains())
    }
  }

  /// Otherwise git would find the user's own worktree around it.
  @Test func aFolderThatIsNoWorktreeIsNotTakenForOne() async throws {
    try await withFleetWorld { world in
      let place = try world.place(base: world.head)
      try DurableFile.makeFolder(place.worktree)
      Files.write("\(place.worktree)/mine", "m")
      let worktree = world.worktree(place)
      #expect(!worktree.isUsable)
      #expect { try worktree.make() } throws: { ($0 as? BusError)?.code == .busy }
      #expect(throws: BusError.self) {
        try world.git.elsewhere(place.worktree).must(["rev-parse", "--show-toplevel"])
      }
      #expect(Files.exists("\(place.worktree)/mine"))
    }
  }
}
