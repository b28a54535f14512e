import BusTesting
import ConclaveBus
import Glibc
import SharedRing
import Testing

@testable import ConclaveRunner

/// What a loop leaves behind, and how the next one goes on.
@Suite struct LoopStateTests {
  @Test func stateAndBack() throws {
    var state = LoopState(
      taskID: "t-1", task: "a \"b\"\n\u{1}ü", maxIterations: 3, agent: "x", branch: "b", base: "c")
    state.attempts = [LoopAttempt(iteration: 1, gate: "tests", hash: "h", shift: true, tree: "t")]
    state.status = .failed
    state.warnings = ["w"]
    state.cost = 1.25
    state.toldMore = true
    #expect(try LoopState(json: Array(state.json.utf8)) == state)
    for name in [
      "task_id", "iteration", "max_iterations", "last_gate", "exit_code", "error_hash", "timestamp",
      "stuck_count", "strategy_shifts", "attempts",
    ] {
      #expect(try JSONTree(Array(state.json.utf8))[name] != nil)
    }
    #expect(!state.jsonLine.dropLast().contains("\n"))
  }

  @Test(arguments: [
    "", "{}", "[1]", "null", "{\"task_id\":1}", String(repeating: "[", count: 500),
    #"{"task_id":"a","iteration":-1,"max_iterations":1,"status":"running","task":"","base":""}"#,
    #"{"task_id":"a","iteration":1e300,"max_iterations":1,"status":"failed","task":"","base":""}"#,
  ])
  func damagedState(_ text: String) async throws {
    let world = try LoopWorld()
    Files.write("\(world.top)/.ralph_state.json", text)
    let error = try await world.refusal(world.options("echo good > work"))
    #expect(error?.code == .corrupt && error?.hint.contains("--fresh") == true)
    #expect(
      try await world.run("echo good > work") { $0.beginning = .fresh }.end == .passed)
  }

  @Test func failedWorkIsKeptWithoutTouchingTheCheckout() async throws {
    let world = try LoopWorld()
    try world.git("-C", world.top, "branch", "-m", "main")
    let head = try world.inTop("rev-parse", "HEAD")
    let outcome = try await world.run("echo $n > work; mkdir -p neu; echo x > 'neu/ü y'") {
      $0.maxIterations = 2
      $0.allowsProtected = true
      $0.taskID = "Task_1"
    }
    #expect(outcome.end == .failed)
    let branch = try #require(try world.failedBranches.first)
    #expect(branch == outcome.state.failedBranch && branch.hasPrefix("wip/ralph-fail-task-1-2"))
    #expect(try world.inTop("show", "\(branch):work") == "2")
    #expect(try world.inTop("show", "\(branch):neu/ü y") == "x")
    #expect(try !world.inTop("ls-tree", "-r", "--name-only", branch).contains("ralph"))
    #expect(try world.inTop("rev-parse", "\(branch)^") == head)
    // HEAD, index and files are as the agent left them.
    #expect(try world.inTop("symbolic-ref", "--short", "HEAD") == "main")
    #expect(try world.inTop("rev-parse", "HEAD") == head)
    #expect(try world.inTop("diff", "--cached", "--name-only") == "")
    #expect(world.work == "2\n")
    #expect(try world.inTop("remote") == "")
  }

  @Test func nothingToKeepMakesNoBranch() async throws {
    let world = try LoopWorld()
    let outcome = try await world.run("true") { $0.maxIterations = 1 }
    #expect(outcome.end == .failed && outcome.state.failedBranch == "")
    #expect(try world.branches == ["feature"])
  }

  @Test func pushingIsAsked() async throws {
    let world = try LoopWorld()
    let remote = world.home.appending("remote.git")
    try world.git("init", "-q", "--bare", remote)
    let outcome = try await world.run("echo 1 > work") {
      $0.maxIterations = 1
      $0.pushRemote = remote
    }
    let pushed = try world.git("-C", remote, "for-each-ref", "--format=%(refname:short)")
    #expect(pushed == outcome.state.failedBranch)
    let failing = try await world.run("echo 2 > work") {
      $0.maxIterations = 1
      $0.pushRemote = world.home.appending("nowhere")
      $0.beginning = .fresh
      $0.allowsDirty = true
    }
    #expect(failing.state.failedBranch != "" && world.said("git push failed"))
  }

  @Test func anInterruptedLoopIsResumed() async throws {
    let world = try LoopWorld()
    let script = """
      [ $n = 1 ] && echo one > work
      if [ $n = 2 ]; then
        trap '' TERM
        echo half > work
        sleep 600 & echo $! > "$WORLD/pid"
        wait; wait
      fi
      [ $n = 3 ] && echo good >> work
      true
      """
    let running = Task { try await world.run(script) }
    try await onThread {
      _ = try waitUntil("the second iteration") {
        Files.text(world.home.appending("pid")).hasSuffix("\n") ? true : nil
      }
    }
    world.stop.stop(.interrupt)
    let outcome = try await running.value
    #expect(outcome.end == .interrupted(.interrupt) && outcome.state.status == .interrupted)
    #expect(outcome.state.iteration == 2 && outcome.state.attempts.count == 1)
    #expect(try world.branches == ["feature"] && world.work == "half\n")
    #expect(ProcessTable.workers(in: world.top) == [])

    let again = LoopWorldRun(world)
    let refused = try await again.refusal(world.options(script))
    #expect(refused?.code == .busy && refused?.hint.contains("--resume") == true)
    var options = world.options(script)
    options.beginning = .resume
    options.task = ""
    let resumed = try await again.run(options)
    #expect(resumed.end == .passed && resumed.state.iteration == 2)
    #expect(world.prompt(3).contains("error: not good"))
    #expect(world.prompt(3).contains("Make the work good"))
  }

  @Test func usedUpIterations() async throws {
    let world = try LoopWorld()
    _ = try await world.run("echo $n > work") { $0.maxIterations = 2 }
    var options = world.options("echo good > work")
    options.beginning = .resume
    let error = try await world.refusal(options)
    #expect(error?.message.contains("2 iterations") == true)
    #expect(error?.hint.contains("--max-iterations") == true)
    options.maxIterations = 3
    let outcome = try await world.run(options)
    #expect(outcome.end == .passed && outcome.state.iteration == 3)
  }

  @Test func anotherTaskIsNotResumed() async throws {
    let world = try LoopWorld()
    _ = try await world.run("echo 1 > work") { $0.maxIterations = 1 }
    var options = world.options("true")
    options.beginning = .resume
    options.task = "Something else"
    #expect(try await world.refusal(options)?.code == .busy)
  }

  /// The original took any living process with the number in the file for a loop.
  @Test func aLockFileThatNamesProcess1() async throws {
    let world = try LoopWorld()
    Files.write("\(world.top)/.ralph.lock", "1\n")
    #expect(try await world.run("echo good > work").end == .passed)
  }

  @Test func oneLoopAtATime() async throws {
    let world = try LoopWorld()
    let running = Task { try await world.run("echo good > work; touch \"$WORLD/on\"; sleep 600") }
    try await onThread {
      _ = try waitUntil("the agent") { Files.exists(world.home.appending("on")) ? true : nil }
    }
    var options = world.options("echo good > work")
    options.beginning = .fresh
    options.allowsDirty = true
    let error = try await LoopWorldRun(world).refusal(options)
    #expect(error?.code == .busy && error?.message.contains("process \(getpid())") == true)
    let control = LoopControl(
      try LoopPlace(containing: world.top, environment: ProcessEnvironment.inherited()))
    #expect(control.isRunning && control.process == Int(getpid()))
    world.stop.stop(.terminate)
    #expect(try await running.value.end == .interrupted(.terminate))
    // A program that another test starts at this moment has the lock until its exec.
    try await onThread {
      _ = try waitUntil("the end of the lock") { control.isRunning ? nil : true }
    }
  }

  @Test func stopOnRequestAndAddedContext() async throws {
    let world = try LoopWorld()
    let control = LoopControl(
      try LoopPlace(containing: world.top, environment: ProcessEnvironment.inherited()))
    #expect(throws: BusError.self) { try control.stop() }
    #expect(throws: BusError.self) { try control.addContext("too early") }
    let running = Task {
      try await world.run("echo $n > work; while [ ! -e \"$WORLD/go\" ]; do sleep 0.01; done")
    }
    try await onThread {
      _ = try waitUntil("the agent") { Files.exists(world.home.appending("n")) ? true : nil }
    }
    try control.stop()
    try control.addContext("look in the attic")
    Files.write(world.home.appending("go"), "")
    let outcome = try await running.value
    #expect(outcome.end == .stopped && outcome.state.status == .stopped)
    let resumed = try await world.run("echo good > work") { $0.beginning = .resume }
    #expect(resumed.end == .passed && world.prompt(2).contains("look in the attic"))
    #expect(throws: BusError.self) {
      try control.addContext(String(repeating: "x", count: 70_000))
    }
  }

  @Test func contextKeepsHeadAndTail() {
    let lines = (1...1000).map { "line \($0)" }.joined(separator: "\n")
    let short = ContextFile.shortened(lines)
    #expect(short.hasPrefix("line 1\n") && short.hasSuffix("\nline 1000"))
    #expect(short.contains("[... 900 of 1000 lines omitted ...]"))
    #expect(short.split(separator: "\n").count == 101)
    let hundred = (1...100).map { "line \($0)" }.joined(separator: "\n")
    #expect(ContextFile.shortened(hundred) == hundred)
    #expect(ContextFile.shortened(String(repeating: "x", count: 1 << 20)).utf8.count < 40_000)
    #expect(PromptText.fenced("a\n````\nb").hasPrefix("`````\n"))
  }
}

/// The same world with a stop signal that was not given.
struct LoopWorldRun {
  let world: LoopWorld
  init(_ world: LoopWorld) { self.world = world }

  func run(_ options: LoopOptions) async throws -> LoopOutcome {
    try await onThread { try RalphLoop.run(options) }
  }

  func refusal(_ options: LoopOptions) async throws -> BusError? {
    do {
      _ = try await run(options)
      return nil
    } catch let error as BusError { return error }
  }
}
