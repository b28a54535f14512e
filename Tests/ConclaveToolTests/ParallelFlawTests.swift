import BusTesting
import Foundation
import Testing

/// What agents leave that git would commit, but not as they mean it.
@Suite(.blocking) struct ParallelFlawTests {
  private static let inner =
    "git add -A; git -c user.name=I -c user.email=i@localhost commit -qm inner"

  /// - Parameter mend: what the agent does when it has been told.
  private func expectTold(
    _ words: String, agent: String, mend: String, setUp: String = "true",
    then check: (ParallelWorld) throws -> Void
  ) throws {
    try withParallelWorld { world in
      _ = try world.shell(setUp)
      try world.prepare(
        [.init(id: 1)],
        agent: """
          if [ $n = 1 ]; then
          \(agent)
          else
          \(mend)
          fi
          """)
      let outcome = try world.run()
      #expect(outcome.exit == 0, "\(outcome.errors)")
      let told = world.read("prompt-task-1-2")
      #expect(told.contains(words), "\(told)")
      try check(world)
      try world.expectTidy(branches: world.branches.filter { !$0.hasPrefix("task/") })
    }
  }

  @Test(arguments: [
    "", "cd ..; git add -A", "cd ..; git add -A; git commit -qm outer",
  ])
  func aRepositoryInTheRepository(_ more: String) throws {
    try expectTold(
      "is a git repository of its own: a commit",
      agent: """
        mkdir sub; cd sub; git init -q .; echo code > main.c; \(ParallelFlawTests.inner); \(more)
        """,
      mend: "rm -rf sub/.git; git rm -rfq --cached sub; true"
    ) { world in
      try world.expect("git show feature:sub/main.c", says: "code")
    }
  }

  @Test func oneWithoutCommits() throws {
    try expectTold(
      "is a git repository of its own: a commit",
      agent: "mkdir sub; cd sub; git init -q .; echo y > ../top; echo z > z",
      mend: "rm -rf sub/.git"
    ) { world in
      try world.expect("git show feature:sub/z feature:top", says: "z\ny")
    }
  }

  /// An agent that does not understand: its files are kept all the same, and its commits.
  @Test func repositoriesAreKept() throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1)],
        agent: """
          mkdir -p sub/deep; git init -q sub; git init -q sub/deep; echo precious > sub/main.c
          echo deep > sub/deep/d; cd sub/deep; git checkout -q -b other; \(ParallelFlawTests.inner)
          """)
      let outcome = try world.run(["--max-iterations", "1"])
      #expect(outcome.exit == 1, "\(outcome.errors)")
      let kept = try world.expectKept("sub/main.c")
      #expect(try world.shell("git show '\(kept):sub/deep/d'") == "deep")
      #expect(try world.shell("git log --format=%s '\(kept)'").contains("inner"))
      try world.expectTidy(branches: ["feature", kept])
    }
  }

  private static let submodule = """
    git init -q -b main ../lib && cd ../lib && echo one > lib.c && \(inner) && cd - \
    && git -c protocol.file.allow=always submodule --quiet add ../lib lib \
    && git commit -qm 'a submodule'
    """
  private static let checkOut =
    "git -c protocol.file.allow=always submodule --quiet update --init"

  @Test func aCommitInASubmodule() throws {
    try expectTold(
      "is at a commit that is nowhere else",
      agent: "\(ParallelFlawTests.checkOut); cd lib; echo two > lib.c; \(ParallelFlawTests.inner)",
      mend: "cd lib; git checkout -q HEAD~; echo 2 > ../two",
      setUp: ParallelFlawTests.submodule
    ) { world in
      try world.expect("git show --name-only --format= feature", says: "two")
    }
  }

  @Test func changesInASubmodule() throws {
    try expectTold(
      "has changes that no commit here can have",
      agent: "\(ParallelFlawTests.checkOut); echo two > lib/new.c; echo 1 > one",
      mend: "rm lib/new.c", setUp: ParallelFlawTests.submodule
    ) { world in
      try world.expect("git show --name-only --format= feature", says: "one")
    }
  }

  /// Nothing is lost when a submodule is only moved to another commit of its remote.
  @Test func anotherCommitOfASubmodule() throws {
    try withParallelWorld { world in
      _ = try world.shell(ParallelFlawTests.submodule)
      _ = try world.shell("cd ../lib && echo two > lib.c && \(ParallelFlawTests.inner)")
      try world.prepare(
        [.init(id: 1)],
        agent: "\(ParallelFlawTests.checkOut); cd lib; git fetch -q; git checkout -q origin/main")
      let outcome = try world.run()
      #expect(outcome.exit == 0, "\(outcome.errors)")
      let link = try world.shell("git rev-parse feature:lib; git -C ../lib rev-parse main")
      #expect(Set(link.split(separator: "\n")).count == 1)
    }
  }

  @Test(arguments: [
    ("git merge -q side", "conflicts that are not resolved, in"),
    ("git merge -q side; git add work", "a merge is under way"),
    ("echo x > work; git stash -q; git reset -q --hard side; git stash pop -q", "not resolved"),
  ])
  func aMergeThatIsNotFinished(_ command: String, _ words: String) throws {
    try expectTold(
      words, agent: "echo mine > work; git commit -qam mine; \(command); true",
      mend: """
        echo both > work; git add work; [ -e "$(git rev-parse --git-dir)/MERGE_HEAD" ] \
        && git commit -qm merged; true
        """,
      setUp: """
        git switch -q -c side && echo theirs > work && git commit -qam theirs \
        && git switch -q feature
        """
    ) { world in
      try world.expect("git show feature:work", says: "both")
    }
  }

  @Test func anAgentThatIsInterruptedInAMerge() throws {
    try withParallelWorld { world in
      _ = try world.shell(
        """
        git switch -q -c side && echo theirs > work && git commit -qam theirs \
        && git switch -q feature
        """)
      try world.prepare(
        [.init(id: 1)],
        agent: """
          [ -e "$home/calm" ] && { echo both > work; git commit -qam merged; exit; }
          echo mine > work; git commit -qam mine; git merge -q side; echo > "$home/on"; sleep 600
          """)
      let tool = try world.start()
      try eventually { world.has("on") }
      tool.send(SIGINT)
      #expect(try tool.finish().exit == 130)
      try world.write("calm", "")
      let resumed = try world.resume()
      #expect(resumed.exit == 0, "\(resumed.errors)")
      try world.expect("git show feature:work", says: "both")
    }
  }

  /// The reviewer sees what is committed, whatever git is told to ignore.
  @Test func whatIsAddedAlthoughItIsIgnored() throws {
    try withParallelWorld { world in
      _ = try world.shell(
        "echo 'hidden*' > .gitignore && echo old > hidden.old && git add -f . && git commit -qm i")
      try world.prepare(
        [.init(id: 1), .init(id: 2)],
        agent: """
          [ $task = task-1 ] && { echo evil > hidden.txt; git add -f hidden.txt; exit; }
          git rm -q --cached hidden.old
          """)
      let agent = world.read("agent.sh").replacingOccurrences(
        of: "echo SPEC_PASS; exit",
        with:
          "printf %s \"$prompt\" >> \"$home/review-$CONCLAVE_PARALLEL_TASK\"; echo SPEC_PASS; exit")
      try world.write("agent.sh", agent)
      let outcome = try world.run()
      #expect(outcome.exit == 0, "\(outcome.errors)")
      #expect(
        try world.shell("git ls-tree --name-only feature")
          == ".gitignore\nhidden.txt\ntest.sh\nwork")
      #expect(world.read("review-task-1").contains("+evil"))
      #expect(world.read("review-task-2").contains("-old"))
    }
  }

  @Test(arguments: ["", "; git commit -qm mine"])
  func theLoopsOwnFilesStayOut(_ more: String) throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1)],
        agent: "echo 1 > one; git add -f one .ralph_state.json .ralph_context.md\(more)")
      let outcome = try world.run()
      #expect(outcome.exit == 0, "\(outcome.errors)")
      #expect(try world.shell("git ls-tree --name-only feature") == "one\ntest.sh\nwork")
      try world.expectTidy()
    }
  }

  @Test(arguments: [
    ("cd /; rm -rf \"$OLDPWD\"", "the agent has removed its worktree"),
    ("rm .git; echo precious > precious.txt", "the agent has removed .git from its worktree"),
    ("rm .git; git init -q .", "the agent has put another repository into its worktree"),
  ])
  func anAgentThatRemovesItsWorktree(_ way: String, _ words: String) throws {
    try withParallelWorld { world in
      try world.prepare(
        [.init(id: 1)], agent: "echo branch > b; git add -A; git commit -qm b; \(way)")
      let outcome = try world.run()
      #expect(outcome.exit == 1 && outcome.errors.contains(words), "\(outcome.errors)")
      let kept = try world.branches.filter { $0.hasPrefix("wip/") }
      #expect(kept.count == 1)
      #expect(try world.shell("git log --format=%s '\(kept.first ?? "feature")'").contains("b"))
      #expect(try world.shell("git status --porcelain") == "")
    }
  }
}

extension ParallelWorld {
  fileprivate func expect(
    _ line: String, says text: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let said = try shell(line)
    #expect(said == text, sourceLocation: sourceLocation)
  }
}
