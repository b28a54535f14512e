import BusTesting
import ConclaveBus
import SharedRing
import Testing

@testable import ConclaveRunner

/// The radar over real worktrees.
@Suite struct ConflictRadarTests {
  /// A repository with worktrees `a`, `b`, ..., each on a branch of its own.
  private final class Worktrees: Sendable {
    let world: LoopWorld
    let base: String
    let posts = Lock([String]())
    let notes = Lock([String]())

    init(_ names: [String]) throws {
      world = try LoopWorld()
      Files.write("\(world.top)/shared", (1...20).map { "line \($0)\n" }.joined())
      try world.git("-C", world.top, "add", "-A")
      try world.git("-C", world.top, "commit", "-qm", "more")
      base = try world.inTop("rev-parse", "HEAD")
      for name in names {
        try world.git("-C", world.top, "worktree", "add", "-q", "-b", "task/\(name)", path(name))
      }
    }

    func path(_ name: String) -> String { world.home.appending("tree \(name)") }

    func task(_ name: String) -> RadarTask {
      RadarTask(name: name, worktree: path(name), base: base, branch: "task/\(name)")
    }

    func write(_ name: String, _ file: String, _ text: String) {
      Files.write("\(path(name))/\(file)", text)
    }

    /// The file `shared` with one line changed.
    func edit(_ name: String, line: Int) {
      let lines = (1...20).map { $0 == line ? "changed by \(name)\n" : "line \($0)\n" }
      write(name, "shared", lines.joined())
    }

    func radar(interval: Duration = .seconds(600)) throws -> ConflictRadar {
      try ConflictRadar(repository: world.top, interval: interval) { posts in
        self.posts.withLock { said in
          said += posts.map { post in
            let recipient = post.subject.recipient.map { " to \($0)" } ?? ""
            return "\(post.isWithdrawn ? "-" : "+")\(post.subject.sender)\(recipient): \(post.text)"
          }
        }
      } note: { note in
        self.notes.withLock { $0.append(note) }
      }
    }

    /// What was said since the last time.
    func said() -> [String] {
      posts.withLock { said in
        defer { said = [] }
        return said
      }
    }

    /// Everything that git has of the repository and its worktrees, but reflogs and times.
    func trace() throws -> String {
      try ["for-each-ref", "stash list", "count-objects -v", "worktree list --porcelain"].map {
        try world.inTop($0.split(separator: " ").map(String.init))
      }.joined(separator: "\n")
    }
  }

  private func overlap(_ other: String, _ to: String, _ end: String) -> String {
    "+radar to \(to): \(other) changes what this task changes, too: \(end)"
  }

  @Test func changesOverlapsAndConflicts() async throws {
    try await onThread {
      let trees = try Worktrees(["a", "b"])
      let radar = try trees.radar()
      for name in ["a", "b"] { radar.watch(trees.task(name)) }
      radar.look()
      #expect(trees.said() == [])
      trees.write("a", "new ü file", "new\n")
      trees.edit("a", line: 2)
      radar.look()
      #expect(trees.said() == ["+a: changes new ü file, shared"])
      trees.edit("b", line: 18)
      radar.look()
      let both = "shared; as both are now, git can merge them"
      #expect(
        trees.said() == ["+b: changes shared", overlap("a", "b", both), overlap("b", "a", both)])
      radar.look()
      #expect(trees.said() == [])
      trees.edit("b", line: 2)
      radar.look()
      let conflict = "shared; as both are now, merging them conflicts in shared"
      #expect(trees.said() == [overlap("a", "b", conflict), overlap("b", "a", conflict)])
      trees.edit("b", line: 0)
      radar.look()
      #expect(trees.said().map { $0.prefix(6) } == ["-b: ch", "-radar", "-radar"])
      radar.end()
      #expect(trees.notes.withLock { $0 } == [])
    }
  }

  /// What was said of a task that is merged is taken back when the other one begins anew.
  @Test func mergedTasksStillCount() async throws {
    try await onThread {
      let trees = try Worktrees(["a", "b"])
      let radar = try trees.radar()
      for name in ["a", "b"] {
        radar.watch(trees.task(name))
        trees.edit(name, line: 2)
      }
      radar.look()
      #expect(trees.said().count == 4)
      radar.forget("a", isMerged: true)
      radar.look()
      #expect(trees.said().map { $0.prefix(13) } == ["-a: changes s", "-radar to a: "])
      radar.watch(trees.task("b"))
      radar.look()
      #expect(trees.said().map { $0.prefix(13) } == ["-radar to b: "])
      radar.end()
    }
  }

  /// Neither what git keeps nor what a `git status` of the agent would see changes.
  @Test func nothingIsTouched() async throws {
    try await onThread {
      let trees = try Worktrees(["a", "b"])
      let radar = try trees.radar()
      for name in ["a", "b"] {
        radar.watch(trees.task(name))
        trees.edit(name, line: 3)
        trees.write(name, "staged", name)
        try trees.world.git("-C", trees.path(name), "add", "staged")
      }
      let index = Files.text("\(trees.world.top)/.git/worktrees/tree-a/index")
      let before = try trees.trace()
      radar.look()
      #expect(trees.said().count == 4)
      #expect(try trees.trace() == before)
      #expect(Files.text("\(trees.world.top)/.git/worktrees/tree-a/index") == index)
      #expect(
        try trees.world.inTop(["-C", trees.path("a"), "status", "--porcelain"])
          == " M shared\nA  staged")
      #expect(Files.exists("\(trees.world.top)/.git/conclave-radar"))
      radar.end()
      #expect(!Files.exists("\(trees.world.top)/.git/conclave-radar"))
      // And no more is said.
      trees.write("a", "later", "x")
      radar.look()
      #expect(trees.said() == [])
    }
  }

  /// A lock of git, for instance of an agent that commits just now, hinders nobody.
  @Test func locksOfGitDoNotMatter() async throws {
    try await onThread {
      let trees = try Worktrees(["a", "b"])
      let radar = try trees.radar()
      for name in ["a", "b"] {
        radar.watch(trees.task(name))
        trees.edit(name, line: 3)
        Files.write("\(trees.world.top)/.git/worktrees/tree-\(name)/index.lock", "")
      }
      radar.look()
      #expect(trees.said().count == 4 && trees.notes.withLock { $0 } == [])
      radar.end()
    }
  }

  /// Work that is committed counts, also when its worktree was removed; what is ignored does not,
  /// nor do the loop's own files.
  @Test func workThatIsCommitted() async throws {
    try await onThread {
      let trees = try Worktrees(["a", "b"])
      let radar = try trees.radar()
      for name in ["a", "b"] { radar.watch(trees.task(name)) }
      trees.edit("a", line: 2)
      for arguments in [["add", "-A"], ["commit", "-qm", "done"]] {
        _ = try trees.world.inTop(["-C", trees.path("a")] + arguments)
      }
      trees.write("b", ".gitignore", "build\n")
      trees.write("b", "build", "x")
      trees.write("b", ".ralph_state.json", "{}")
      radar.look()
      #expect(trees.said() == ["+a: changes shared", "+b: changes .gitignore"])
      try trees.world.git("-C", trees.world.top, "worktree", "remove", trees.path("a"))
      radar.look()
      #expect(trees.said() == [])
      trees.edit("b", line: 2)
      radar.look()
      #expect(trees.said().count { $0.hasSuffix("conflicts in shared") } == 2)
      radar.forget("a")
      radar.look()
      #expect(trees.said().map { $0.prefix(2) } == ["-a", "-r", "-r"])
      radar.end()
      #expect(trees.notes.withLock { $0 } == [])
    }
  }

  /// Renames, files that are gone, and something that is no worktree any more, below a repository
  /// that has changes of its own.
  @Test func oddWorktrees() async throws {
    try await onThread {
      let trees = try Worktrees(["a", "b"])
      let radar = try trees.radar()
      for name in ["a", "b"] { radar.watch(trees.task(name)) }
      try trees.world.git("-C", trees.path("a"), "mv", "shared", "moved")
      trees.edit("b", line: 5)
      radar.look()
      #expect(trees.said().contains("+a: changes moved, shared"))
      try trees.world.git("-C", trees.path("b"), "rm", "-qf", "shared")
      _ = try trees.world.inTop(["-C", trees.path("b"), "commit", "-qm", "gone"])
      radar.look()
      #expect(trees.said().contains { $0.contains("conflicts in") })
      let inside = RadarTask(
        name: "c", worktree: "\(trees.world.top)/.worktrees/c", base: trees.base)
      try trees.world.git("init", "-q", "\(trees.world.top)/.worktrees/other")
      _ = try trees.world.inTop(["-C", trees.world.top, "worktree", "add", "-q", inside.worktree])
      radar.watch(inside)
      Files.write("\(inside.worktree)/x", "x")
      radar.look()
      #expect(trees.said() == ["+c: changes x"])
      // Half removed: it must not be taken for the repository that it lies in.
      _ = try ChildProcess("rm", [inside.worktree + "/.git"]).wait()
      Files.write("\(trees.world.top)/work", "of the user")
      for _ in 1...3 { radar.look() }
      #expect(trees.said() == [])
      #expect(
        trees.notes.withLock { $0 }.map { $0.hasPrefix("radar: cannot look at c: ") } == [true])
      radar.end()
    }
  }

  /// On its own thread, with agents at work.
  @Test func itLooksByItself() async throws {
    try await withHangGuard {
      try await onThread {
        let trees = try Worktrees(["a", "b"])
        let radar = try trees.radar(interval: .milliseconds(20))
        radar.begin()
        for name in ["a", "b"] { radar.watch(trees.task(name)) }
        let agents = try ["a", "b"].map { name in
          try ChildProcess(
            "/bin/sh",
            [
              "-c",
              "for n in 1 2 3 4 5 6 7 8; do echo $n > shared; git add -A; git commit -qm $n; done",
            ], workingDirectory: trees.path(name))
        }
        for agent in agents { #expect(try agent.wait() == .code(0), "\(agent.standardError)") }
        trees.write("a", "shared", "one\n")
        trees.write("b", "shared", "other\n")
        var all: [String] = []
        _ = try waitUntil("the conflict is said") {
          all += trees.said()
          return all.count { $0.hasSuffix("conflicts in shared") } >= 2 ? true : nil
        }
        for name in ["a", "b"] { radar.forget(name) }
        _ = try waitUntil("all is taken back") {
          all += trees.said()
          return all.suffix(4).count { $0.hasPrefix("-") } == 4 ? true : nil
        }
        radar.end()
        #expect(trees.notes.withLock { $0 } == [])
      }
    }
  }
}
