import BusTesting
import ConclaveBus
import Testing

@testable import ConclaveRunner

/// Loops with scripted agents in real repositories.
@Suite struct LoopTests {
  /// From the bash runner, which ended at the first failing test.
  @Test func testsThatFailTwiceAndThenPass() async throws {
    let world = try LoopWorld()
    let outcome = try await world.run("[ $n = 3 ] && echo good > work || echo try $n > work")
    #expect(outcome.end == .passed && outcome.state.iteration == 3)
    #expect(outcome.state.attempts.map(\.gate) == ["tests", "tests"])
    #expect(try world.inTop("log", "-1", "--format=%s") == "Make the work good")
    #expect(try world.inTop("log", "-1", "--format=%b").contains("Iterations: 3"))
    #expect(try world.inTop("rev-parse", "HEAD") == outcome.state.commit)
    #expect(try world.inTop("show", "--name-only", "--format=") == "work")
    #expect(try world.status == "" && world.failedBranches.isEmpty)
  }

  @Test func theNextIterationIsToldWhatFailed() async throws {
    let world = try LoopWorld()
    _ = try await world.run("[ $n = 2 ] && echo good > work || echo try > work")
    #expect(!world.prompt(1).contains("error: not good"))
    let second = world.prompt(2)
    #expect(second.contains("Make the work good") && second.contains("error: not good"))
    #expect(second.contains("- Iteration 1: tests failed: error: not good"))
    #expect(second.contains("/bin/sh ./test.sh"))
  }

  @Test func anExitCodeOfZeroIsNoEvidence() async throws {
    let world = try LoopWorld(tests: "true")
    let outcome = try await world.run("echo I did it all") { $0.maxIterations = 2 }
    #expect(
      outcome.end == .failed && outcome.state.attempts.map(\.gate) == ["implement", "implement"])
    #expect(outcome.state.attempts[0].summary == "the agent has changed nothing")
  }

  @Test func aCommitOfTheAgentIsEvidence() async throws {
    let world = try LoopWorld()
    // Everything, as agents like to say it: the loop's own files must not get in.
    let outcome = try await world.run("echo good > work; git add -A; git commit -qm mine")
    #expect(outcome.end == .passed && outcome.state.iteration == 1)
    #expect(try world.inTop("log", "-1", "--format=%s") == "mine")
    #expect(try world.inTop("ls-files") == "test.sh\nwork")
  }

  @Test func anIgnoredFileThatIsCommittedIsPartOfTheWork() async throws {
    let world = try LoopWorld()
    let outcome = try await world.run(
      """
      echo secret > .gitignore; echo $n > secret; git add -f secret .gitignore; git commit -qm $n
      """
    ) { $0.maxIterations = 2 }
    #expect(try world.inTop("show", "\(outcome.state.failedBranch):secret") == "2")
  }

  @Test func alreadyDoneNeedsTheReviewer() async throws {
    let world = try LoopWorld(tests: "true")
    let confirmed = try await world.run("echo looked at it; echo ALREADY_DONE")
    #expect(confirmed.end == .passed && confirmed.state.attempts.isEmpty)
    let skipped = try await world.run("echo ALREADY_DONE") {
      $0.skipsSpec = true
      $0.maxIterations = 1
    }
    #expect(skipped.end == .failed)
    var options = world.options("echo ALREADY_DONE", review: "echo it is not")
    options.beginning = .fresh
    options.maxIterations = 1
    let denied = try await world.run(options)
    #expect(denied.end == .failed && denied.state.lastGate == "spec")
  }

  @Test func failureOfTheAgentCountsWhateverItChanged() async throws {
    let world = try LoopWorld()
    let outcome = try await world.run("echo good > work; echo rate limit >&2; exit 3") {
      $0.maxIterations = 1
    }
    #expect(outcome.end == .failed && outcome.state.exitCode == 3)
    #expect(outcome.state.attempts[0].gate == "implement")
  }

  @Test func anErrorInTheJSONCounts() async throws {
    let world = try LoopWorld()
    let outcome = try await world.run(
      #"echo good > work; echo '{"result":"overloaded","is_error":true,"total_cost_usd":0.5}'"#
    ) {
      $0.agent.answer = .json(AgentConfiguration.AnswerKeys())
      $0.maxIterations = 1
    }
    #expect(outcome.end == .failed && outcome.state.lastGate == "implement")
    #expect(outcome.state.cost == 0.5)
  }

  @Test(arguments: [
    "echo I cannot say SPEC_PASS", "echo SPEC_PASS; echo but not really", "exit 1",
    "echo late; echo more > other; echo SPEC_PASS", "printf %s \"$prompt\"",
  ])
  func reviewersThatDoNotPass(_ review: String) async throws {
    let world = try LoopWorld()
    var options = world.options("echo good > work; date +%N > nonce", review: "eval \"$answer\"")
    options.environment["answer"] = review
    options.maxIterations = 1
    let outcome = try await world.run(options)
    #expect(outcome.end == .failed && outcome.state.lastGate == "spec")
  }

  @Test func theReviewerSeesTaskAndDifference() async throws {
    let world = try LoopWorld()
    let options = world.options("")
    // The prelude runs a review as words; this one needs a shell.
    Files.write(
      world.home.appending("agent.sh"),
      """
      prompt=$(cat)
      case $prompt in *"# Verdict"*)
        printf '%s' "$prompt" > "$WORLD/review"; echo SPEC_PASS; exit;;
      esac
      echo good > work; echo new > extra
      """)
    #expect(try await world.run(options).end == .passed)
    let review = Files.text(world.home.appending("review"))
    #expect(review.contains("Make the work good") && review.contains("+good"))
    #expect(review.contains("+new") && !review.contains(".ralph"))
  }

  @Test func qualityIsAWarning() async throws {
    let world = try LoopWorld()
    let outcome = try await world.run("echo good > work") { $0.lintCommand = "echo ugly; exit 4" }
    #expect(outcome.end == .passed && outcome.state.warnings == ["exit code 4"])
  }

  @Test func aGateThatHangsIsAFailedAttempt() async throws {
    let world = try LoopWorld(tests: "trap '' TERM; while :; do sleep 1; done")
    let outcome = try await world.run("echo $n > work") {
      $0.timeLimits.tests = .milliseconds(300)
      $0.maxIterations = 2
    }
    #expect(outcome.end == .failed && outcome.state.attempts.map(\.gate) == ["tests", "tests"])
    #expect(outcome.state.exitCode == 124)
    #expect(outcome.state.attempts[0].hash == outcome.state.attempts[1].hash)
    #expect(world.said("gateIsLong"))
  }

  @Test func theTimeForEverythingEndsTheLoop() async throws {
    let world = try LoopWorld()
    let outcome = try await world.run("echo $n > work; sleep 600") {
      $0.timeLimits.global = .seconds(1)
    }
    #expect(outcome.end == .timedOut && outcome.state.status == .failed)
    #expect(try world.failedBranches.count == 1)
  }

  @Test func aRefusedCommitIsAFailedGate() async throws {
    let world = try LoopWorld()
    let hook = "\(world.top)/.git/hooks/pre-commit"
    Files.write(
      hook, "#!/bin/sh\n[ -e formatted ] || { echo 'error: not formatted'; exit 1; }\n",
      executable: true)
    let outcome = try await world.run("echo good $n > work; [ $n = 1 ] || touch formatted")
    #expect(outcome.end == .passed && outcome.state.attempts.map(\.gate) == ["commit"])
    #expect(world.prompt(2).contains("error: not formatted"))
    let other = try LoopWorld()
    Files.write("\(other.top)/.git/hooks/pre-commit", "#!/bin/sh\nexit 1\n", executable: true)
    #expect(try await other.run("echo good > work") { $0.runsHooks = false }.end == .passed)
  }

  @Test func aHookThatAlwaysRefuses() async throws {
    let world = try LoopWorld()
    Files.write(
      "\(world.top)/.git/hooks/pre-commit", "#!/bin/sh\necho 'error: on holiday'; exit 1\n",
      executable: true)
    Files.write("\(world.top)/staged", "s\n")
    try world.git("-C", world.top, "add", "staged")
    let outcome = try await world.run("echo good $n > work; echo > new") {
      $0.allowsDirty = true
      $0.maxIterations = 2
    }
    #expect(outcome.end == .failed && outcome.state.attempts.map(\.gate) == ["commit", "commit"])
    #expect(outcome.state.reason.contains("commit: error: on holiday"), "\(outcome.state.reason)")
    // As the agent, and a person before it, has left them.
    #expect(try world.inTop("diff", "--cached", "--name-only") == "staged")
    #expect(try world.status == "A  staged\n M work\n?? new")
  }

  /// No work of an agent helps where git cannot sign.
  @Test func aCommitThatCannotBeSigned() async throws {
    let world = try LoopWorld()
    try world.git("-C", world.top, "config", "commit.gpgSign", "true")
    try world.git("-C", world.top, "config", "gpg.program", "/bin/false")
    let error = try await world.refusal(world.options("echo good > work"))
    #expect(error?.code == .permissionDenied && error?.message.contains("sign") == true)
    #expect(error?.hint.contains("--resume") == true)
    #expect(Files.text(world.home.appending("n")) == "1\n")
    try world.git("-C", world.top, "config", "commit.gpgSign", "false")
    let resumed = try await world.run("echo ALREADY_DONE") { $0.beginning = .resume }
    #expect(resumed.end == .passed)
  }

  /// Tests count from the moment that they are there, and do not stop to count by being removed.
  @Test func testsThatComeAndGo() async throws {
    let world = try LoopWorld(tests: nil)
    let outcome = try await world.run(
      """
      case $n in
      1) echo 'grep -q good work || { echo error: bad; exit 1; }' > test.sh;;
      2) rm test.sh;;
      3) echo 'grep -q good work' > test.sh; echo good > work;;
      esac
      """)
    #expect(outcome.end == .passed && outcome.state.attempts.map(\.gate) == ["tests", "tests"])
    #expect(world.prompt(2).contains("error: bad") && world.prompt(2).contains("./test.sh"))
  }

  /// As a shell runs it, and execvp(3).
  @Test func anExecutableScriptWithoutAFirstLine() async throws {
    let world = try LoopWorld(tests: nil)
    Files.write(
      "\(world.top)/test.sh", "grep -q good work || { echo 'error: not good'; exit 1; }\n",
      executable: true)
    try world.git("-C", world.top, "add", "-A")
    try world.git("-C", world.top, "commit", "-q", "-m", "tests")
    let outcome = try await world.run("[ $n = 2 ] && echo good > work || echo try > work")
    #expect(outcome.end == .passed && outcome.state.attempts.map(\.gate) == ["tests"])
    #expect(outcome.state.attempts[0].summary == "error: not good")
  }

  @Test func tenMegabytesOfAnswer() async throws {
    let world = try LoopWorld()
    let outcome = try await world.run(
      "echo good > work; head -c 10000000 /dev/zero | tr '\\0' x; echo; echo done")
    #expect(outcome.end == .passed)
  }

  @Test func promptsComeInThreeWays() async throws {
    for (route, place) in [
      (AgentConfiguration.PromptRoute.argument, "{prompt}"), (.file, "{file}"),
    ] {
      let world = try LoopWorld(tests: "true")
      var options = world.options("")
      Files.write(
        world.home.appending("agent.sh"),
        "[ \"$2\" = end ] || exit 9\n"
          + "case $1 in /*) cat \"$1\" > seen;; *) printf '%s' \"$1\" > seen;; esac\n")
      options.agent.command += [place, "end"]
      options.agent.prompt = route
      options.skipsSpec = true
      #expect(try await world.run(options).end == .passed)
      #expect(Files.text("\(world.top)/seen").contains("Make the work good"))
    }
  }
}
