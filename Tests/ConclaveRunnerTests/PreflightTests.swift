import BusTesting
import ConclaveBus
import Glibc
import Testing

@testable import ConclaveRunner

/// What makes a loop impossible is said before anything is changed.
@Suite struct PreflightTests {
  private func expectRefusal(
    _ world: LoopWorld, _ code: BusError.Code, _ words: String, _ hint: String,
    _ change: (inout LoopOptions) -> Void = { _ in }
  ) async throws {
    var options = world.options("echo good > work")
    change(&options)
    let before = try world.status
    let error = try await world.refusal(options)
    #expect(error?.code == code)
    #expect(error?.message.contains(words) == true, "\(error?.message ?? "no error")")
    #expect(error?.hint.contains(hint) == true, "\(error?.hint ?? "no error")")
    for file in WorkSnapshot.ownFiles { #expect(!Files.exists("\(world.top)/\(file)")) }
    #expect(!Files.exists("\(world.top)/.git/conclave-ralph"))
    #expect(!Files.text("\(world.top)/.git/info/exclude").contains("ralph"))
    #expect(!Files.exists(world.home.appending("n")))
    #expect(try world.status == before)
  }

  @Test func changesThatAreNotCommitted() async throws {
    let world = try LoopWorld()
    Files.write("\(world.top)/neue Datei ü", "x")
    try await expectRefusal(world, .unsupported, "neue Datei ü", "git stash -u")
    Files.write("\(world.top)/work", "changed\n")
    try await expectRefusal(world, .unsupported, "and 1 more", "--allow-dirty")
    #expect(try await world.run("echo good > work") { $0.allowsDirty = true }.end == .passed)
  }

  @Test func aProtectedBranch() async throws {
    let world = try LoopWorld()
    try world.git("-C", world.top, "branch", "-m", "main")
    try await expectRefusal(world, .unsupported, "main is protected", "--allow-protected")
  }

  @Test func aDetachedHead() async throws {
    let world = try LoopWorld()
    try world.git("-C", world.top, "checkout", "-q", "--detach")
    try await expectRefusal(world, .unsupported, "detached", "git switch -c")
  }

  @Test func noCommits() async throws {
    let world = try LoopWorld()
    try world.git("-C", world.top, "update-ref", "-d", "HEAD")
    try world.git("-C", world.top, "rm", "-rqf", "--cached", ".")
    try await expectRefusal(world, .notFound, "no commits", "commit something")
  }

  @Test func aMergeUnderWay() async throws {
    let world = try LoopWorld()
    Files.write("\(world.top)/.git/MERGE_HEAD", try world.inTop("rev-parse", "HEAD") + "\n")
    try await expectRefusal(world, .unsupported, "a merge is under way", "abort")
  }

  @Test func noRepository() async throws {
    let world = try LoopWorld()
    try await expectRefusal(world, .notFound, "not in the worktree", "git init") {
      $0.directory = world.home.path
    }
    try await expectRefusal(world, .notFound, "not in the worktree", "git init") {
      $0.directory = "\(world.top)/.git"
    }
  }

  @Test func aMissingAgent() async throws {
    let world = try LoopWorld()
    try await expectRefusal(world, .notFound, "\"no-such-agent\" is not in PATH", "--agent") {
      $0.agent = AgentConfiguration(name: "mine", command: ["no-such-agent"])
    }
    try await expectRefusal(world, .permissionDenied, "may not be executed", "chmod") {
      $0.agent = AgentConfiguration(name: "mine", command: ["\(world.top)/work"])
    }
  }

  @Test func anAgentWhoseCheckFails() async throws {
    let world = try LoopWorld()
    try await expectRefusal(world, .unsupported, "please log in", "log in") {
      $0.agent.check = ["sh", "-c", "echo please log in; exit 1"]
    }
  }

  @Test func nobodyToCommitAs() async throws {
    let world = try LoopWorld()
    try world.git("-C", world.top, "config", "--unset", "user.name")
    try await expectRefusal(world, .notFound, "who commits", "user.name") {
      $0.environment["HOME"] = world.home.path
      $0.environment["GIT_AUTHOR_NAME"] = ""
      $0.environment["GIT_COMMITTER_NAME"] = ""
    }
  }

  @Test func noTests() async throws {
    let world = try LoopWorld(tests: nil)
    try await expectRefusal(world, .notFound, "no tests were found", "--test-cmd") {
      $0.requiresTests = true
    }
    #expect(try await world.run("echo good > work").end == .passed)
    #expect(world.said("no tests were found"))
  }

  @Test func anEmptyTask() async throws {
    let world = try LoopWorld()
    try await expectRefusal(world, .invalidPayload, "the task is empty", "say what") {
      $0.task = " \n"
    }
    try await expectRefusal(world, .notFound, "no unfinished loop", "--task") {
      $0.beginning = .resume
    }
  }

  /// Only the first call shows it; nothing but the loop's own files is there then.
  @Test func anAgentThatIsNotLoggedIn() async throws {
    let world = try LoopWorld()
    let options = world.options("echo 'Invalid API key · Please run /login'; exit 1")
    let error = try await world.refusal(options)
    #expect(error?.code == .permissionDenied && error?.message.contains("not logged in") == true)
    #expect(error?.hint.contains("--resume") == true)
    #expect(try world.status == "" && world.branches == ["feature"])
  }
}

@Suite struct TestCommandTests {
  @Test(arguments: [
    (["package.json", "Cargo.toml"], ["npm", "test"]), (["Cargo.toml"], ["cargo", "test"]),
    (["setup.py", "go.mod"], ["python3", "-m", "pytest"]),
    (["pyproject.toml"], ["python3", "-m", "pytest"]), (["go.mod"], ["go", "test", "./..."]),
    (["test.sh", "Package.swift"], ["/bin/sh", "./test.sh"]),
    (["Package.swift", "Makefile"], ["swift", "test"]), (["Makefile"], ["make", "test"]),
  ])
  func theFirstThatFits(_ files: [String], _ command: [String]) throws {
    let directory = try TemporaryDirectory()
    for file in files {
      let text =
        file == "package.json"
        ? #"{"scripts":{"test":"jest"}}"# : file == "Makefile" ? "all:\n\ntest: all\n\ttrue\n" : ""
      Files.write(directory.appending(file), text)
    }
    #expect(try TestCommand.detect(in: directory.path)?.command == command)
  }

  @Test func whatOnlyLooksLikeTests() throws {
    let directory = try TemporaryDirectory()
    #expect(try TestCommand.detect(in: directory.path) == nil)
    Files.write(
      directory.appending("package.json"),
      #"{"scripts":{"test":"echo \"Error: no test specified\" && exit 1"}}"#)
    Files.write(directory.appending("Makefile"), "test := 3\nall:\n\ttest: no\n")
    #expect(try TestCommand.detect(in: directory.path) == nil)
  }

  @Test(arguments: ["/no/such/directory", "relative", ""])
  func aWrongDirectoryIsAnError(_ path: String) {
    #expect(throws: BusError.self) { try TestCommand.detect(in: path) }
  }
}
