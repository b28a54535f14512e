import BusTesting
import ConclaveRunner
import Testing

/// The reason of a loop's end is what failed, not that nothing helped against it.
@Suite struct LoopReasonTests {
  private func world(hook: String) throws -> LoopWorld {
    let world = try LoopWorld()
    Files.write(
      "\(world.top)/.git/hooks/pre-commit", "#!/bin/sh\n\(hook)\nexit 1\n", executable: true)
    return world
  }

  @Test func iterationsThatAreUsedUp() async throws {
    let world = try world(hook: "echo 'error: on holiday'")
    let outcome = try await world.run("echo good > work") { $0.maxIterations = 3 }
    #expect(outcome.end == .failed)
    #expect(outcome.state.attempts.map(\.gate) == ["commit", "implement", "implement"])
    let reason = outcome.state.reason
    #expect(reason.contains("the last failed at commit: error: on holiday"), "\(reason)")
    #expect(reason.hasSuffix("since then the agent has changed nothing"), "\(reason)")
  }

  @Test func aLoopThatIsStuck() async throws {
    let world = try world(hook: "echo 'error: on holiday'")
    let outcome = try await world.run("echo good > work") { $0.maxIterations = 30 }
    #expect(outcome.end == .failed && outcome.state.attempts.count < 30)
    let reason = outcome.state.reason
    #expect(reason.contains("stuck") && reason.contains("commit: error: on holiday"), "\(reason)")
  }

  @Test func aHookThatSaysNothing() async throws {
    let world = try world(hook: "")
    let outcome = try await world.run("echo good > work") { $0.maxIterations = 2 }
    let reason = outcome.state.reason
    #expect(reason.contains("commit: git or a hook refuses the commit"), "\(reason)")
  }

  @Test func nothingElseHasFailed() async throws {
    let world = try LoopWorld(tests: "true")
    let outcome = try await world.run("true") { $0.maxIterations = 2 }
    let reason = outcome.state.reason
    #expect(reason.hasSuffix("failed at implement: the agent has changed nothing"), "\(reason)")
  }
}
