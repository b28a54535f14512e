import BusTesting
import ConclaveBus
import SharedRing
import Testing

@testable import ConclaveRunner

/// What a loop says and hears through its seam to the bulletin board, and what it costs.
@Suite struct LoopBoardTests {
  @Test func notesAreReadAndFindingsPublished() async throws {
    let world = try LoopWorld()
    let calls = Lock([String]())
    var board = LoopBoard()
    board.instructions = "Write markers."
    board.read = { iteration, fingerprint in
      calls.withLock { $0.append("read \(iteration) \(fingerprint.isEmpty ? "-" : "error")") }
      return "## Notes\n- from task-2"
    }
    board.publish = { text, _, gate, passed in
      calls.withLock { $0.append("\(gate.rawValue) \(passed) \(text.trimmed)") }
    }
    board.recordFix = { hashes, digest in
      calls.withLock { $0.append("fix \(hashes.count) \(digest.contains("not good"))") }
    }
    var options = world.options("[ $n = 2 ] && echo good > work || echo try > work; echo said $n")
    options.board = board
    #expect(try await world.run(options).end == .passed)
    #expect(
      calls.withLock { $0 } == [
        "read 1 -", "tests false said 1", "read 2 error", "tests true said 2", "spec true said 2",
        "quality true said 2", "commit true said 2", "fix 1 true",
      ])
    #expect(world.prompt(1).contains("Write markers.") && world.prompt(1).contains("from task-2"))
  }

  /// From the original: what the prompt shows must not come back as something said.
  @Test func anEchoedPromptIsNotPublished() async throws {
    let world = try LoopWorld()
    let texts = Lock([String]())
    var options = world.options("echo good > work; printf '%s\\n' \"$prompt\"; echo mine")
    options.board.instructions = "<!-- BUS:discovery -->example<!-- /BUS -->"
    options.board.publish = { text, _, _, _ in texts.withLock { $0.append(text) } }
    #expect(try await world.run(options).end == .passed)
    #expect(texts.withLock { $0 }.allSatisfy { !$0.contains("BUS") && $0.contains("mine") })
    #expect(texts.withLock { $0 }.count == 4)
  }

  /// Without tests the reviewer is the first to judge; without either it is enough to have ended.
  @Test func findingsWaitForWhoJudges() async throws {
    let world = try LoopWorld(tests: nil)
    let calls = Lock([String]())
    Files.write(world.home.appending("review"), "grep -q 1 work || echo SPEC_PASS\n")
    var options = world.options("echo $n > work; echo said $n", review: "sh ../review")
    options.board.publish = { text, _, gate, passed in
      calls.withLock { $0.append("\(gate.rawValue) \(passed) \(text.trimmed)") }
    }
    options.commits = false
    #expect(try await world.run(options).end == .passed)
    #expect(
      calls.withLock { $0 } == ["spec false said 1", "spec true said 2", "quality true said 2"])

    calls.withLock { $0 = [] }
    options.task = "another"
    options.allowsDirty = true
    options.skipsSpec = true
    #expect(try await world.run(options).end == .passed)
    #expect(calls.withLock { $0 } == ["quality true said 3"])
  }

  /// Who is ended before the tests have run has at least warned.
  @Test func findingsOfALoopThatIsStopped() async throws {
    let world = try LoopWorld()
    let calls = Lock([String]())
    // As `ralph stop` does.
    var options = world.options("echo $n > work; echo said $n; > .git/conclave-ralph/stop")
    options.board.publish = { text, _, gate, passed in
      calls.withLock { $0.append("\(gate.rawValue) \(passed) \(text.trimmed)") }
    }
    #expect(try await world.run(options).end == .stopped)
    #expect(calls.withLock { $0 } == ["tests false said 1"])
  }

  /// What the prompt shows of its own earlier words an agent may well say again.
  @Test func whatAgentsAreToldIsWithoutTheirOwnWords() async throws {
    let world = try LoopWorld(tests: nil)
    let told = Lock([String]())
    var options = world.options(
      "echo $n > work; echo 'my own words'; [ $n = 2 ] || exit 3")
    options.board.read = { _, _ in "the words of others" }
    options.board.publish = { _, words, _, _ in told.withLock { $0.append(words) } }
    #expect(try await world.run(options).end == .passed)
    #expect(world.prompt(2).contains("my own words"))
    for words in told.withLock({ $0 }) {
      #expect(words.contains("the words of others") && words.contains("Make the work good"))
      #expect(!words.contains("my own words"))
    }
  }

  @Test func toolOutputIsNoFinalText() async throws {
    let world = try LoopWorld()
    let texts = Lock([String]())
    var options = world.options(
      "echo good > work; echo 'tool says <!-- BUS'; echo '{\"result\":\"final\"}'")
    options.agent.answer = .json(AgentConfiguration.AnswerKeys())
    options.skipsSpec = true
    options.board.publish = { text, _, _, _ in texts.withLock { $0.append(text) } }
    #expect(try await world.run(options).end == .passed)
    #expect(Set(texts.withLock { $0 }) == ["final"])
  }

  @Test func aBlockedAgentEndsTheLoop() async throws {
    let world = try LoopWorld()
    let asked = Lock([String]())
    var options = world.options("echo half > work; echo 'BLOCKED: no access to the staging host'")
    options.board.askForHelp = { reason in asked.withLock { $0.append(reason) } }
    let outcome = try await world.run(options)
    #expect(outcome.end == .blocked && outcome.state.status == .blocked)
    #expect(outcome.state.reason == "no access to the staging host")
    #expect(asked.withLock { $0 } == ["no access to the staging host"])
    #expect(try world.branches == ["feature"])
  }

  @Test func costsAreAddedAndLimited() async throws {
    let world = try LoopWorld()
    let answer =
      #"{"result":"x","total_cost_usd":0.4,"num_turns":3,"#
      + #""usage":{"input_tokens":10,"output_tokens":5}}"#
    let outcome = try await world.run("echo $n > work; echo '\(answer)'") {
      $0.agent.answer = .json(AgentConfiguration.AnswerKeys())
      $0.maxCost = 0.7
    }
    #expect(outcome.end == .tooExpensive && outcome.state.iteration == 2)
    #expect(outcome.state.cost == 0.8 && outcome.state.turns == 6)
    #expect(outcome.state.inputTokens == 20 && outcome.state.outputTokens == 10)
  }

  @Test func aBranchThatTheAgentLeaves() async throws {
    let world = try LoopWorld()
    let outcome = try await world.run("git switch -q -c elsewhere; echo x > work")
    #expect(outcome.end == .astray && outcome.sentence.contains("left the branch feature"))
    let state = try LoopState(json: Array(Files.text("\(world.top)/.ralph_state.json").utf8))
    #expect(state.status == .interrupted && state.reason.contains("left the branch"))
  }
}

@Suite struct AgentConfigurationTests {
  @Test func aDescriptionInJSON() throws {
    let agent = try AgentConfiguration(
      json: Array(
        #"""
        {"command": ["/opt/my agent", "-q"], "prompt": "argument", "answer": "json",
         "keys": {"result": "a.b"}, "permissionOption": "--mode"}
        """#.utf8))
    #expect(agent.name == "my agent" && agent.prompt == .argument)
    guard case .json(let keys) = agent.answer else {
      Issue.record("not JSON")
      return
    }
    #expect(keys.result == "a.b" && keys.isError == "is_error")
    #expect(
      try agent.allowing(permissions: "all", tools: nil).command
        == ["/opt/my agent", "-q", "--mode", "all"])
    #expect(throws: BusError.self) { try agent.allowing(permissions: nil, tools: "Bash") }
  }

  @Test(arguments: [
    "", "[]", "{}", #"{"command":"x"}"#, #"{"command":[]}"#, #"{"command":["x"],"prmpt":"stdin"}"#,
    #"{"command":["x"],"prompt":"pigeon"}"#, #"{"command":["x"],"answer":7}"#,
    #"{"command":["x"],"check":"y"}"#,
  ])
  func mistakes(_ text: String) {
    #expect(throws: BusError.self) { try AgentConfiguration(json: Array(text.utf8)) }
  }

  @Test func aProgramIsNoDescription() throws {
    for bytes in [Array("\u{7F}ELF\u{2}\u{1}".utf8), Array("#!/bin/sh\n".utf8), []] {
      #expect { try AgentConfiguration(json: bytes) } throws: { error in
        (error as? BusError)?.message.contains("it is not JSON") == true
          && (error as? BusError)?.hint.contains(#"{"command": ["#) == true
      }
    }
  }

  @Test func presets() throws {
    let claude = try AgentConfiguration.claude.allowing(permissions: nil, tools: "Edit,Bash(git:*)")
    #expect(
      claude.command == [
        "claude", "-p", "--output-format", "json", "--permission-mode", "acceptEdits",
        "--allowedTools", "Edit,Bash(git:*)",
      ])
    let codex = try AgentConfiguration.codex.allowing(permissions: "read-only", tools: nil)
    #expect(codex.command == ["codex", "exec", "--sandbox", "read-only", "-"])
  }

  @Test func answersAfterOtherLines() {
    var output = CapturedOutput()
    output.append(
      Array("warning {x}\n{\"type\":\"init\"}\n{\"result\":\"\\u00fc\\ud83d\\ude00\"}\n".utf8)[...])
    let answer = AgentAnswer(output, form: .json(AgentConfiguration.AnswerKeys()), prompt: "")
    #expect(answer.finalText == "ü😀" && !answer.isError)
    let nothing = AgentAnswer(
      CapturedOutput(), form: .json(AgentConfiguration.AnswerKeys()), prompt: "")
    #expect(nothing.isError)
  }

  @Test func thePromptRepeatedWithoutEnd() {
    let prompt = "A prompt that is long enough to be looked for, ü."
    var output = CapturedOutput()
    output.append(Array("a\(String(repeating: prompt, count: 50_000))b\(prompt)c".utf8)[...])
    #expect(AgentAnswer(output, form: .text, prompt: " \(prompt)\n").finalText == "abc")
  }

  @Test(arguments: [
    ("BLOCKED: why", "why"), ("BLOCKED:", nil), ("BLOCKED: a\nmore", nil), ("not BLOCKED: x", nil),
    ("text\n BLOCKED: why \n\n", "why"), ("BLOCKED: <reason>", nil),
  ])
  func blocked(_ text: String, _ reason: String?) {
    #expect(AgentAnswer(finalText: text).blockedReason == reason)
  }
}
