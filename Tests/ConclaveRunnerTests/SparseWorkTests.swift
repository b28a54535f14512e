import BusTesting
import ConclaveRunner
import Testing

/// Work outside of the cone of a sparse checkout is work.
@Suite struct SparseWorkTests {
  /// The folder `a` is checked out, `b` and `c` are not.
  private func sparse() throws -> LoopWorld {
    let world = try LoopWorld(tests: "true")
    for folder in ["a", "b", "c"] {
      try runSh("mkdir '\(world.top)/\(folder)' && echo begin > '\(world.top)/\(folder)/f'")
    }
    try world.git("-C", world.top, "add", "-A")
    try world.git("-C", world.top, "commit", "-q", "-m", "folders")
    try world.git("-C", world.top, "sparse-checkout", "set", "a")
    #expect(!Files.exists("\(world.top)/b"))
    return world
  }

  private func runSh(_ line: String) throws {
    let child = try ChildProcess("sh", ["-c", line])
    child.closeInput()
    #expect(try child.wait() == .code(0))
  }

  @Test func itIsCommitted() async throws {
    let world = try sparse()
    let outcome = try await world.run("mkdir -p b; echo x > b/new; echo y > b/f; echo z > a/f")
    #expect(outcome.end == .passed, "\(outcome.state.reason)")
    #expect(try world.inTop("show", "--name-only", "--format=") == "a/f\nb/f\nb/new")
    #expect(try world.inTop("show", "feature:b/f") == "y")
    #expect(try world.inTop("show", "feature:c/f") == "begin" && world.status == "")
  }

  /// A file that git tracks, and that is not checked out: git says nothing about it.
  @Test func aChangeOfATrackedFile() async throws {
    let world = try sparse()
    let outcome = try await world.run("mkdir -p b; echo y > b/f") { $0.maxIterations = 1 }
    #expect(outcome.end == .passed, "\(outcome.state.reason)")
    #expect(try world.inTop("show", "--name-only", "--format=") == "b/f")
  }

  @Test func itIsKept() async throws {
    let world = try sparse()
    let outcome = try await world.run("mkdir -p b; echo x > b/new; echo y > a/f; exit 1") {
      $0.maxIterations = 1
    }
    let branch = outcome.state.failedBranch
    #expect(outcome.end == .failed && branch != "")
    #expect(try world.inTop("diff", "--name-only", "feature", branch) == "a/f\nb/new")
  }
}
