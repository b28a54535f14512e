import BusTesting
import ConclaveBus
import ConclaveRunner
import Testing

/// "Not logged in" ends everything, so it is believed only where an agent says it of itself.
@Suite struct AgentLoginTests {
  /// What a test of a program with users says is a failure of the work.
  @Test(arguments: [
    "echo 'test_login: expected 200, got 401 Unauthorized'; exit 1",
    "echo 'FAIL: not logged in'; exit 1", "echo 'error: Unauthorized' >&2; exit 1",
    "echo 'Not logged in'; echo '1 test failed'; exit 1",
    "echo 'Invalid API key' >&2; echo '1 test failed' >&2; exit 1",
    "echo 'the banner says: please log in'; exit 1",
    "echo 'not logged in users get a 403, and ours got a 200'; exit 1",
    "echo 'Not logged in'; kill -9 $$", "echo 'Login required'; exit 1",
  ])
  func aFailureIsAFailedAttempt(_ script: String) async throws {
    let world = try LoopWorld()
    let outcome = try await world.run(script) { $0.maxIterations = 1 }
    #expect(outcome.end == .failed && outcome.state.attempts.map(\.gate) == ["implement"])
  }

  @Test(arguments: [
    #"{"result":"test_login: 401 Unauthorized, authentication_error","is_error":true}"#,
    #"{"result":"Not logged in","is_error":false}"#,
  ])
  func aJSONAnswerThatSpeaksOfLogins(_ answer: String) async throws {
    let world = try LoopWorld()
    let outcome = try await world.run("echo '\(answer)'; exit 1") {
      $0.agent.answer = .json(AgentConfiguration.AnswerKeys())
      $0.maxIterations = 1
    }
    #expect(outcome.end == .failed && outcome.state.attempts.map(\.gate) == ["implement"])
  }

  @Test(arguments: [
    "echo 'Invalid API key · Please run /login'; exit 1",
    "echo 'Error: Not logged in.' >&2; exit 1",
    "echo 'I look.'; printf '\\033[31merror:\\033[0m OAuth token has expired\\n\\n' >&2; exit 2",
    "echo 'Please set an Auth method in your settings.json' >&2; exit 41",
  ])
  func theAgentsOwnWords(_ script: String) async throws {
    let world = try LoopWorld()
    let error = try await world.refusal(world.options(script))
    #expect(error?.code == .permissionDenied && error?.message.contains("not logged in") == true)
  }

  @Test(arguments: [
    #"{"result":"Not logged in · Please run /login","is_error":true}"#,
    #"{"result":"API Error: 401 {\"error\":{\"type\":\"authentication_error\"}}","is_error":true}"#,
    #"{"result":"Failed to authenticate. API Error: 401 x · Please run /login","is_error":true}"#,
  ])
  func aJSONAnswerThatIsAnError(_ answer: String) async throws {
    let world = try LoopWorld()
    Files.write(world.home.appending("answer"), answer)
    var options = world.options("cat \"$WORLD/answer\"")
    options.agent.answer = .json(AgentConfiguration.AnswerKeys())
    let error = try await world.refusal(options)
    #expect(error?.code == .permissionDenied && error?.message.contains("not logged in") == true)
  }
}
