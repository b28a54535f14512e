import BusTesting
import Foundation
import Testing

/// Work that is in a task's worktree and not on its branch: no end of a run may lose it.
@Suite(.blocking) struct ParallelKeepTests {
  /// Each leaves `precious.txt` where the branch of the task does not have it.
  private static let ways = [
    "git switch -q -c my-own; echo precious > precious.txt",
    """
    git checkout -q --detach; echo precious > precious.txt; git add -A; git commit -qm mine
    echo more > uncommitted.txt
    """,
    "git checkout -q --orphan unborn; echo precious > precious.txt",
    "rm .git; echo precious > precious.txt",
    "rm .git; git init -q .; echo precious > precious.txt",
    """
    echo precious > precious.txt; rm .git; git init -q .; git config user.name A
    git config user.email a@localhost; git add -A; git commit -qm other
    """,
    """
    git switch -q -c my-own; mkdir sub; git init -q sub; echo precious > precious.txt
    """,
    "echo '*' > .gitignore; echo precious > precious.txt",
  ]

  @Test(arguments: ways)
  func aTaskThatFails(_ way: String) throws {
    try withParallelWorld { world in
      try world.prepare([.init(id: 1)], agent: way)
      let outcome = try world.run(["--json", "--max-iterations", "1"])
      #expect(outcome.exit == 1, "\(outcome.errors)")
      try world.expectKept()
      #expect(try world.branches.allSatisfy { !$0.hasPrefix("task/") })
      #expect(try world.shell("git status --porcelain") == "")
      // Nothing of it is in the way of the next run.
      #expect(!world.has("repo ü/.worktrees"))
      try world.setAgent("echo > $task")
      let next = try world.run()
      #expect(next.exit == 0, "\(next.errors)")
    }
  }

  /// The branch has what the worktree does not, and the other way round.
  @Test func commitsOfBothAreKept() throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1)],
        agent: """
          echo branch > on-branch; git add -A; git commit -qm one
          git checkout -q --detach feature; echo precious > precious.txt
          """)
      let outcome = try world.run(["--max-iterations", "1"])
      #expect(outcome.exit == 1, "\(outcome.errors)")
      let kept = try world.expectKept()
      #expect(try world.shell("git log --format=%s '\(kept)'").contains("one"))
      try world.expectTidy(branches: ["feature", kept])
    }
  }

  @Test(arguments: ["", "kill", "fresh"])
  func aRunThatIsEnded(_ end: String) throws {
    for way in ParallelKeepTests.ways.prefix(2) {
      try withParallelWorld { world in
        try world.prepare(
          [.init(id: 1)],
          agent: """
            [ -e "$home/calm" ] && { echo $task > $task; exit; }
            \(way)
            echo > "$home/on"; sleep 600
            """)
        let tool = try world.start()
        try eventually { world.has("on") }
        tool.send(end.isEmpty ? SIGINT : SIGKILL)
        let ended = try tool.finish()
        if end.isEmpty {
          #expect(ended.exit == 130 && ended.errors.contains("go on with --resume"))
          #expect(try world.shell("cat .worktrees/task-1-thing-1/precious.txt") == "precious")
        }
        try world.write("calm", "")
        let next = try end == "fresh" ? world.run(["--fresh"]) : world.resume()
        #expect(next.exit == 0, "\(next.errors)")
        let kept = try world.expectKept()
        #expect(next.errors.contains("kept on \(kept)"), "\(next.errors)")
        if way.contains("uncommitted") {
          #expect(try world.shell("git show '\(kept):uncommitted.txt'") == "more")
          #expect(try world.shell("git log --format=%s '\(kept)'").contains("mine"))
        }
        let own = try world.branches.filter { $0 == "my-own" }
        try world.expectTidy(branches: ["feature"] + own + [kept])
      }
    }
  }

  /// What an earlier attempt has left on a branch says nothing of this one.
  @Test func whatStaysIsNotRemovedLater() throws {
    try withParallelWorld { world in
      // Git takes no file of the name of the last one.
      try world.prepare(
        [.init(id: 1), .init(id: 2), .init(id: 3, needs: [1])],
        agent: """
          case $task-$n in
          task-1-*) echo 1 > work;;
          task-2-1) echo 2 > work;;
          task-2-*) echo precious > precious.txt; echo > 'git~1';;
          *) [ -e "$home/calm" ] && { echo 3 > three; exit; }; echo > "$home/on"; sleep 600;;
          esac
          """)
      let tool = try world.start(["--max-iterations", "1"])
      try eventually { world.has("on") }
      tool.send(SIGINT)
      let stopped = try tool.finish()
      #expect(stopped.exit == 130 && stopped.errors.contains("the work of task-2 stays in"))
      #expect(try world.branches.filter { $0.hasPrefix("wip/") }.count == 1)
      try world.write("calm", "")
      let resumed = try world.resume()
      #expect(resumed.exit == 1 && resumed.errors.contains("task-2-thing-2 stays: git"))
      #expect(try world.shell("cat .worktrees/task-2-thing-2/precious.txt") == "precious")
      // Nobody can go on before a person has looked, and is told where.
      let retried = try world.resume(["--retry"])
      #expect(retried.exit == 1, "\(retried.errors)")
      let fresh = try world.run(["--fresh"])
      #expect(fresh.exit == 5)
      for words in [retried.errors, fresh.errors] {
        #expect(words.contains("checked out in") && words.contains(": take out of there"))
      }
    }
  }
}

extension ParallelWorld {
  /// - Returns: the only branch `wip/...` with `precious.txt`.
  @discardableResult
  func expectKept(
    _ file: String = "precious.txt", sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let kept = try branches.filter { $0.hasPrefix("wip/") }
    let having = try kept.filter {
      try Tool.shell("git show '\($0):\(file)'", in: top).output == "precious\n"
    }
    #expect(having.count == 1, "\(kept)", sourceLocation: sourceLocation)
    return having.first ?? ""
  }
}
