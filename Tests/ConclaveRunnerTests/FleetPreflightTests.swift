import BusTesting
import ConclaveBus
import Glibc
import Testing

@testable import ConclaveRunner

/// What hinders a plan is said before anything is changed.
@Suite struct FleetPreflightTests {
  private func options(
    _ world: LoopWorld, _ change: (inout FleetPreflight.Options) -> Void = { _ in }
  ) -> FleetPreflight.Options {
    var options = FleetPreflight.Options(directory: world.top)
    options.agent = AgentConfiguration(name: "scripted", command: ["/bin/sh"])
    change(&options)
    return options
  }

  private func expectHindrance(
    _ world: LoopWorld, _ code: BusError.Code, _ words: String, _ hint: String,
    _ change: (inout FleetPreflight.Options) -> Void = { _ in }
  ) async throws {
    let options = options(world, change)
    let before = try world.status
    let (found, first) = try await onThread {
      (FleetPreflight.hindrances(options), firstHindrance(options))
    }
    #expect(found.count == 1 && found.first == first)
    #expect(first?.code == code && first?.message.contains(words) == true, "\(found)")
    #expect(first?.hint.contains(hint) == true, "\(found)")
    #expect(try world.status == before)
    #expect(!Files.exists("\(world.top)/.worktrees"))
    #expect(!Files.text("\(world.top)/.git/info/exclude").contains("worktrees"))
  }

  @Test func nothingHinders() async throws {
    let world = try LoopWorld()
    // New files are no part of what the tasks begin with, and the plan may be one.
    Files.write("\(world.top)/plan ü.md", "x")
    let options = options(world) { $0.worktrees = "deep/er/trees" }
    let preflight = try await onThread { try FleetPreflight(options) }
    #expect(preflight.top == world.top && preflight.branch == "feature")
    #expect(preflight.worktrees == "\(world.top)/deep/er/trees")
    #expect(try preflight.head == world.inTop("rev-parse", "HEAD"))
    #expect(try await onThread { FleetPreflight.hindrances(options) } == [])
  }

  @Test func changedFiles() async throws {
    let world = try LoopWorld()
    Files.write("\(world.top)/work", "changed\n")
    try await expectHindrance(world, .unsupported, "not committed: \"work\"", "git stash")
    try world.git("-C", world.top, "add", "work")
    try await expectHindrance(world, .unsupported, "not committed: \"work\"", "git stash")
  }

  @Test func branches() async throws {
    let world = try LoopWorld()
    try world.git("-C", world.top, "branch", "-m", "master")
    try await expectHindrance(world, .unsupported, "master is protected", "--allow-protected")
    let allowed = options(world) { $0.allowsProtected = true }
    #expect(try await onThread { FleetPreflight.hindrances(allowed) } == [])
    try world.git("-C", world.top, "checkout", "-q", "--detach")
    try await expectHindrance(world, .unsupported, "detached", "git switch -c")
  }

  @Test(arguments: [
    ("MERGE_HEAD", "a merge"), ("CHERRY_PICK_HEAD", "a cherry-pick"),
    ("rebase-merge/x", "a rebase"),
  ])
  func somethingUnderWay(_ file: String, _ words: String) async throws {
    let world = try LoopWorld()
    if file.contains("/") { unsafe mkdir("\(world.top)/.git/rebase-merge", 0o700) }
    Files.write("\(world.top)/.git/\(file)", try world.inTop("rev-parse", "HEAD") + "\n")
    try await expectHindrance(world, .unsupported, "\(words) is under way", "abort")
  }

  @Test func noRepositoryAndNoCommits() async throws {
    let world = try LoopWorld()
    try await expectHindrance(world, .notFound, "not in the worktree", "git init") {
      $0.directory = world.home.path
    }
    let empty = world.home.appending("empty")
    try world.git("init", "-q", "-b", "feature", empty)
    for (key, value) in [("user.name", "T"), ("user.email", "t@localhost")] {
      try world.git("-C", empty, "config", key, value)
    }
    try await expectHindrance(world, .notFound, "no commits", "commit something") {
      $0.directory = empty
    }
  }

  @Test func tasksOfPlans() async throws {
    let world = try LoopWorld()
    try await expectHindrance(world, .unsupported, "\"task-3\", itself a task", "run plans in") {
      $0.environment[FleetPreflight.taskVariable] = "task-3"
    }
    let task = PlanTask(id: 3, title: "Do it", text: "")
    let tree = world.home.appending("trees/\(task.folderName)")
    try world.git("-C", world.top, "worktree", "add", "-q", "-b", task.branchName, tree)
    try await expectHindrance(world, .unsupported, "\"task-3-do-it\", itself", "run plans in") {
      $0.directory = tree
    }
    // A worktree of one's own is no task, nor is a branch of that name in the main one.
    let other = world.home.appending("trees/other")
    try world.git("-C", world.top, "worktree", "add", "-q", "-b", "task/4-x", other)
    let options = options(world) { $0.directory = other }
    #expect(try await onThread { FleetPreflight.hindrances(options) } == [])
  }

  @Test func placesForWorktrees() async throws {
    let world = try LoopWorld()
    for path in [".git", ".git/trees", "\(world.top)/.git/x"] {
      try await expectHindrance(world, .unsupported, "git's own directory", "--worktree-dir") {
        $0.worktrees = path
      }
    }
    try await expectHindrance(world, .unsupported, "is not a directory", "--worktree-dir") {
      $0.worktrees = "work"
    }
    try await expectHindrance(world, .unsupported, "no worktrees in", "--worktree-dir") {
      $0.worktrees = "work/below"
    }
    unsafe symlink("nowhere", world.home.appending("link"))
    for path in ["link", "link/below"] {
      try await expectHindrance(world, .unsupported, "link to nothing", "--worktree-dir") {
        $0.worktrees = world.home.appending(path)
      }
    }
    try await expectHindrance(world, .noSpace, "MiB are free", "make room") {
      $0.worktreeCount = .max
    }
  }

  @Test func noAgentAndNobody() async throws {
    let world = try LoopWorld()
    try await expectHindrance(world, .notFound, "\"no-such-agent\" is not in PATH", "--agent") {
      $0.agent = AgentConfiguration(name: "mine", command: ["no-such-agent"])
    }
    try await expectHindrance(world, .unsupported, "please log in", "log in") {
      $0.agent.check = ["sh", "-c", "echo please log in; exit 1"]
    }
    try world.git("-C", world.top, "config", "--unset", "user.name")
    try await expectHindrance(world, .notFound, "who commits", "user.name") {
      $0.environment["HOME"] = world.home.path
      $0.environment["GIT_AUTHOR_NAME"] = ""
      $0.environment["GIT_COMMITTER_NAME"] = ""
    }
  }

  /// What the worktrees of tasks will not have is no agent for them.
  @Test func agentsOfTheCheckout() async throws {
    let world = try LoopWorld()
    let agent = AgentConfiguration(name: "mine", command: ["./agentx.sh"])
    Files.write("\(world.top)/agentx.sh", "#!/bin/sh\n", executable: true)
    try await expectHindrance(world, .notFound, "agentx.sh\" is not in the last commit", "commit") {
      $0.agent = agent
    }
    try world.git("-C", world.top, "add", "agentx.sh")
    try world.git("-C", world.top, "update-index", "--chmod=-x", "agentx.sh")
    try world.git("-C", world.top, "commit", "-qm", "agent")
    try world.git("-C", world.top, "config", "core.fileMode", "false")
    try await expectHindrance(world, .permissionDenied, "not be executed", "--chmod=+x") {
      $0.agent = agent
    }
    try world.git("-C", world.top, "update-index", "--chmod=+x", "agentx.sh")
    try world.git("-C", world.top, "commit", "-qm", "may run")
    // What is ignored may be made by the set-up.
    unsafe mkdir("\(world.top)/bin", 0o700)
    Files.write("\(world.top)/bin/agent", "#!/bin/sh\n", executable: true)
    Files.write("\(world.top)/.git/info/exclude", "/bin\n")
    for program in ["./agentx.sh", "bin/agent"] {
      let options = options(world) { $0.agent.command = [program] }
      #expect(try await onThread { FleetPreflight.hindrances(options) } == [])
    }
  }

  @Test func agentsThatNoKernelRuns() async throws {
    let world = try LoopWorld()
    let path = world.home.appending("agentx")
    for (text, words, hint) in [
      ("#!/no/such/shell -e\n", "\"/no/such/shell\"", "first line"),
      ("#! /usr/bin/env no-such-shell\n", "\"no-such-shell\"", "first line"),
      ("#!\n", "is no program", "#!/bin/sh"), ("echo hello\n", "is no program", "#!/bin/sh"),
      ("", "is no program", "#!/bin/sh"),
    ] {
      Files.write(path, text, executable: true)
      try await expectHindrance(world, .unsupported, words, hint) { $0.agent.command = [path] }
    }
    for text in ["#!/bin/sh\n", "#! /usr/bin/env -S sh -e\n", "#!/usr/bin/env sh"] {
      Files.write(path, text, executable: true)
      let options = options(world) { $0.agent.command = [path] }
      #expect(try await onThread { FleetPreflight.hindrances(options) } == [])
    }
  }

  @Test func everythingAtOnce() async throws {
    let world = try LoopWorld()
    Files.write("\(world.top)/work", "changed\n")
    try world.git("-C", world.top, "branch", "-m", "main")
    Files.write("\(world.top)/.git/MERGE_HEAD", try world.inTop("rev-parse", "HEAD") + "\n")
    let options = options(world) {
      $0.agent.command = ["no-such-agent"]
      $0.worktrees = "work"
    }
    let found = try await onThread { FleetPreflight.hindrances(options) }
    #expect(found.count == 5 && Set(found).count == 5)
    #expect(found.allSatisfy { !$0.hint.isEmpty && !$0.message.contains("\n") })
  }
}

/// What hinders `options` first.
private func firstHindrance(_ options: FleetPreflight.Options) -> BusError? {
  do {
    _ = try FleetPreflight(options)
    return nil
  } catch { return error }
}
