import BusTesting
import ConclaveRunner
import Testing

/// What git does not see since the agent itself has told it so.
@Suite struct HiddenWorkTests {
  private func failing(_ script: String, in world: LoopWorld) async throws -> String {
    let outcome = try await world.run("\(script); exit 1") { $0.maxIterations = 1 }
    #expect(outcome.end == .failed)
    return outcome.state.failedBranch
  }

  @Test func aNewIgnoreFileThatHidesAllAndItself() async throws {
    let world = try LoopWorld()
    let branch = try await failing(
      "echo '*' > .gitignore; mkdir -p 'ü'; echo precious > 'ü/[n]ew*'; echo x > one", in: world)
    try #require(branch != "")
    #expect(try world.inTop("show", "\(branch):ü/[n]ew*") == "precious")
    #expect(
      try world.inTop("diff", "--name-only", "-z", "feature", branch)
        == ".gitignore\0one\0ü/[n]ew*\0")
    // The checkout and its index are as the agent has left them.
    #expect(try world.inTop("diff", "--cached", "--name-only") == "")
  }

  @Test func repositoriesThatAreHiddenAreKeptToo() async throws {
    let world = try LoopWorld()
    let branch = try await failing(
      "echo '*' > .gitignore; git init -q sub; echo precious > sub/new", in: world)
    try #require(branch != "")
    #expect(try world.inTop("show", "\(branch):sub/new") == "precious")
  }

  /// Products and secrets are what such files are for.
  @Test func whatAnotherNewIgnoreFileHidesIsNamed() async throws {
    let world = try LoopWorld()
    let branch = try await failing(
      "printf 'secret\\nproducts/\\n' > .gitignore; echo s > secret; mkdir products; "
        + "echo p > products/p; echo x > new", in: world)
    #expect(try world.inTop("diff", "--name-only", "feature", branch) == ".gitignore\nnew")
    let message = try world.inTop("log", "-1", "--format=%B", branch)
    #expect(message.contains("\"products/\", \"secret\""), "\(message)")
  }

  /// Tools write `*` into the folders of their caches; what was ignored before stays so.
  @Test func cachesAreNot() async throws {
    let world = try LoopWorld()
    let cache = "mkdir -p cache; echo '*' > cache/.gitignore; echo c > cache/c"
    #expect(try await failing(cache, in: world) == "")
    Files.write("\(world.top)/.gitignore", "*\n")
    try world.git("-C", world.top, "add", "-f", ".gitignore")
    try world.git("-C", world.top, "commit", "-q", "-m", "ignore")
    let outcome = try await world.run("echo c > c; exit 1") {
      $0.maxIterations = 1
      $0.beginning = .fresh
    }
    #expect(outcome.end == .failed && outcome.state.failedBranch == "")
  }
}
