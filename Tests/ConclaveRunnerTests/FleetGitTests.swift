import BusTesting
import ConclaveBus
import Glibc
import Testing

@testable import ConclaveRunner

/// Merges that touch no checkout, and a branch that moves with its checkout or not at all.
@Suite struct FleetGitTests {
  @Test func aSquashHasOneParentAndBothChanges() async throws {
    try await withFleetWorld { world in
      let base = try world.head
      let first = try world.commit(["a": "1\n"], onto: base)
      let task = try world.commit(["c": "3\n"], onto: world.commit(["b": "2\n"], onto: base))
      guard
        case .merged(let commit) = try SquashMerge.commit(
          world.git, task, onto: first, message: "Task 7: ü\n\nTask-Id: task-7\n")
      else {
        Issue.record("not merged")
        return
      }
      #expect(try world.git.must(["rev-parse", "\(commit)^@"]) == first)
      #expect(
        try ["a", "b", "c"].map { try world.content($0, in: commit) } == ["1\n", "2\n", "3\n"])
      let message = try world.git.must([
        "log", "-1", "--format=%s%n%(trailers:key=Task-Id)", commit,
      ])
      #expect(message.hasPrefix("Task 7: ü\nTask-Id: task-7"))
      #expect(try world.head == base && world.status.isEmpty)
    }
  }

  @Test func aConflictNamesItsFilesAndChangesNothing() async throws {
    try await withFleetWorld { world in
      let base = try world.head
      let ours = try world.commit(["work": "ours\n", "ä ö": "x\n"], onto: base)
      let theirs = try world.commit(["work": "theirs\n", "ä ö": "y\n", "c": ""], onto: base)
      let outcome = try SquashMerge.commit(world.git, theirs, onto: ours, message: "x")
      #expect(outcome == .conflict(["work", "ä ö"]))
      #expect(try world.status.isEmpty)
      // The next one works.
      let other = try world.commit(["d": "d\n"], onto: base)
      guard case .merged = try SquashMerge.commit(world.git, other, onto: ours, message: "x") else {
        Issue.record("not merged")
        return
      }
    }
  }

  @Test func aConflictInAFileWithALineFeedInItsName() async throws {
    try await withFleetWorld { world in
      let base = try world.head
      let ours = try world.commit(["a\nb": "ours\n"], onto: base)
      let theirs = try world.commit(["a\nb": "theirs\n"], onto: base)
      let outcome = try SquashMerge.commit(world.git, theirs, onto: ours, message: "x")
      #expect(outcome == .conflict(["a\nb"]))
    }
  }

  @Test func whatTheBranchHasAlreadyIsContained() async throws {
    try await withFleetWorld { world in
      let base = try world.head
      let one = try world.commit(["a": "1\n"], onto: base)
      let same = try world.commit(["a": "1\n"], onto: base)
      #expect(try SquashMerge.commit(world.git, same, onto: one, message: "x") == .contained)
      let orphan = try world.git.must(["commit-tree", "\(base)^{tree}", "-m", "no history"])
      #expect(throws: BusError.self) {
        try SquashMerge.commit(world.git, orphan, onto: one, message: "x")
      }
    }
  }

  @Test func aBranchMovesWithItsCheckout() async throws {
    try await withFleetWorld { world in
      let base = try world.head
      let next = try world.commit(["work": nil, "new": "n\n"], onto: base)
      Files.write("\(world.top)/mine", "untracked\n")
      let advance = world.advance()
      #expect(try advance.advance(from: base, to: next) == .done)
      #expect(try world.head == next && world.status == "?? mine")
      #expect(Files.text("\(world.top)/new") == "n\n")
      // Again, as after a kill.
      #expect(try advance.advance(from: base, to: next) == .done)
      let other = try world.commit(["x": "x"], onto: base)
      #expect(try advance.advance(from: base, to: other) == .moved(to: next))
    }
  }

  /// What somebody has chosen for merges by hand is not for ours.
  @Test(arguments: ["--squash", "--no-ff", "--no-commit", "-s ours", "--log"])
  func optionsOfTheUser(_ options: String) async throws {
    try await withFleetWorld { world in
      let base = try world.head
      let next = try world.commit(["new": "n\n"], onto: base)
      for branch in ["feature", "a=b.c"] {
        if branch != "feature" { try world.git.must(["checkout", "-q", "-b", branch, base]) }
        try world.git.must(["config", "branch.\(branch).mergeOptions", options])
        let advance = world.advance(branch)
        #expect(try advance.advance(from: base, to: next) == .done)
        #expect(try world.head == next && world.status == "")
      }
    }
  }

  @Test func aBranchThatIsGone() async throws {
    try await withFleetWorld { world in
      let advance = world.advance("gone")
      #expect { try advance.head } throws: { error in
        (error as? BusError)?.code == .notFound
          && (error as? BusError)?.message.contains("branch gone") == true
      }
    }
  }

  /// Git's own words count when it is not too old, and cannot merge all the same.
  @Test(arguments: [
    ("error: insufficient permission for adding an object", 128, "insufficient permission", ""),
    ("usage: git merge-tree <base-tree> <branch1> <branch2>", 129, "git merge-tree", "2.38"),
  ])
  func whyGitCannotMerge(
    _ words: String, _ code: Int, _ message: String, _ hint: String
  ) async throws {
    try await withFleetWorld { world in
      let bin = world.world.home.appending("bin")
      unsafe mkdir(bin, 0o700)
      Files.write(
        "\(bin)/git",
        """
        #!/bin/sh
        case "$*" in *merge-tree*) echo '\(words)' >&2; exit \(code);; esac
        exec '\(world.git.program)' "$@"
        """, executable: true)
      var options = FleetOptions(
        graph: try PlanGraph(Plan(tasks: [PlanTask(id: 1, title: "x", text: "")])), planText: [],
        directory: world.top)
      options.environment["PATH"] = "\(bin):/usr/bin:/bin"
      #expect { try FleetSite(options) } throws: { error in
        guard let error = error as? BusError else { return false }
        return error.message.contains(message) && error.hint.contains(hint)
          && (hint.isEmpty ? !error.hint.contains("2.38") : true)
      }
    }
  }

  @Test func whatIsIgnoredIsNamedOnce() async throws {
    try await withFleetWorld { world in
      try WorkSnapshot.ignoreOwnFiles(world.git, besides: [".worktrees", "other", "other"])
      let lines = Files.text("\(world.top)/.git/info/exclude").split(separator: "\n")
      #expect(lines.filter { $0 == "/.worktrees" }.count == 1)
      #expect(lines.filter { $0 == "/other" }.count == 1)
    }
  }

  @Test func dirtyFilesElsewhereSurvive() async throws {
    try await withFleetWorld { world in
      let base = try world.head
      Files.write("\(world.top)/work", "being edited\n")
      let next = try world.commit(["new": "n\n"], onto: base)
      let advance = world.advance()
      #expect(try advance.advance(from: base, to: next) == .done)
      #expect(Files.text("\(world.top)/work") == "being edited\n")
      #expect(try world.status == " M work")
    }
  }

  @Test(arguments: ["a change", "a staged change", "a new file", "an ignored file", "a deletion"])
  func whatIsInTheWayStays(_ what: String) async throws {
    try await withFleetWorld { world in
      let base = try world.head
      let next = try world.commit(["work": "merged\n", "new": "merged\n"], onto: base)
      let isNew = ["a new file", "an ignored file"].contains(what)
      let path = "\(world.top)/\(isNew ? "new" : "work")"
      Files.write(path, "mine\n")
      if what == "a staged change" { try world.git.must(["add", "work"]) }
      if what == "an ignored file" { Files.write("\(world.top)/.git/info/exclude", "/new\n") }
      if what == "a deletion" { unsafe unlink(path) }
      let advance = world.advance()
      let outcome = try advance.advance(from: base, to: next)
      if what == "a deletion" {
        // Git sees nothing that would be lost.
        #expect(outcome == .done)
        return
      }
      guard case .refused(let words) = outcome else {
        Issue.record("\(outcome)")
        return
      }
      #expect(words.contains(isNew ? "new" : "work"))
      #expect(try Files.text(path) == "mine\n" && world.head == base)
      #expect(Files.exists("\(world.top)/new") == isNew)
    }
  }

  @Test func aBranchThatNobodyHasCheckedOutMoves() async throws {
    try await withFleetWorld { world in
      let base = try world.head
      let next = try world.commit(["new": "n\n"], onto: base)
      try world.git.must(["switch", "--quiet", "-c", "other"])
      let advance = world.advance()
      #expect(try advance.advance(from: base, to: next) == .done)
      #expect(try world.head == base && world.status.isEmpty)
      #expect(try world.git.must(["rev-parse", "feature"]) == next)
    }
  }

  @Test func aBranchThatAnotherWorktreeHasMovesThere() async throws {
    try await withFleetWorld { world in
      let base = try world.head
      let next = try world.commit(["new": "n\n"], onto: base)
      try world.git.must(["switch", "--quiet", "-c", "other"])
      let elsewhere = world.world.home.appending("elsewhere")
      try world.git.must(["worktree", "add", "--quiet", elsewhere, "feature"])
      let advance = world.advance()
      #expect(try advance.advance(from: base, to: next) == .done)
      #expect(Files.exists("\(elsewhere)/new") && !Files.exists("\(world.top)/new"))
    }
  }

  @Test func anotherGitIsWaitedFor() async throws {
    try await withFleetWorld { world in
      let base = try world.head
      let next = try world.commit(["new": "n\n"], onto: base)
      let lock = "\(world.top)/.git/index.lock"
      Files.write(lock, "")
      let other = try ChildProcess("/bin/sh", ["-c", "read line; sleep 0.2; rm \"$0\"", lock])
      other.closeInput()
      let advance = world.advance()
      #expect(try advance.advance(from: base, to: next) == .done)
      _ = try other.wait()
    }
  }
}
