import ConclaveBus

extension RalphLoop {
  /// The agent works; it has succeeded when it says so and there is something to show for it.
  mutating func implementGate() throws(BusError) -> GateResult {
    // An agent that finds done what was to be done, since it was interrupted just then, must not
    // seem to have done nothing.
    let before = goesOn ? try beginning() : try position()
    goesOn = false
    let prompt = try prepareContext()
    let (result, answer) = try call(prompt, .implement, options.timeLimits.implement)
    if let stopped = stopped(result, .implement) {
      // What is there by now the loop that goes on looks at: git may be slow, and who wants an end
      // does not wait for it.
      finalText = answer.finalText
      return stopped
    }
    try requireWorktree()
    let now = try position()
    tree = now[1]
    finalText = answer.finalText
    if let failed = try failure(result, answer, .implement) { return failed }
    guard try git.branch() == state.branch else {
      return GateResult(
        gate: .implement, verdict: .astray,
        reason: "the agent has left the branch \(state.branch)")
    }
    if answer.blockedReason != nil {
      return GateResult(gate: .implement, verdict: .failed, reason: "blocked")
    }
    if let unfit = unfit(.implement, now) { return unfit }
    guard now == before else {
      return GateResult(gate: .implement, verdict: .passed, reason: "changed something")
    }
    // Only the reviewer can confirm that nothing is to be done: it sees the whole difference from
    // the beginning.
    guard answer.saysAlreadyDone, !options.skipsSpec else {
      return GateResult(
        gate: .implement, verdict: .failed,
        reason: LoopAttempt.nothingChanged, exitCode: 1)
    }
    return GateResult(gate: .implement, verdict: .passed, reason: "says that it is already done")
  }

  /// Reads the board and writes the context file.
  ///
  /// - Returns: the prompt.
  private mutating func prepareContext() throws(BusError) -> String {
    let notes = options.board.read(state.iteration, state.errorHash)
    let added = String(decoding: try DurableFile.read(place.addedFile) ?? [], as: UTF8.self)
    let more = state.toldMore ? try facts() : ""
    func context(_ state: LoopState, _ error: String) -> String {
      ContextFile.text(
        state, threshold: options.stuckThreshold, error: error, notes: notes, added: added,
        more: more)
    }
    func prompt(_ state: LoopState, _ error: String) -> String {
      LoopPrompt.implement(
        state, tests: tests, skipsSpec: options.skipsSpec, board: options.board.instructions,
        context: context(state, error))
    }
    try DurableFile.write(Array(context(state, lastError).utf8), to: place.contextFile)
    var blank = state
    blank.attempts = []
    told = prompt(blank, "")
    return prompt(state, lastError)
  }

  private mutating func call(
    _ prompt: String, _ gate: LoopGate, _ limit: Duration
  ) throws(BusError) -> (ChildResult, AgentAnswer) {
    let limit = min(limit, remaining)
    let (result, answer) = try agent.call(
      prompt, timeLimit: limit, grace: options.timeLimits.grace, scratch: place.folder, stop: stop
    ) {
      say(.gateIsLong(gate, elapsed: $0, limit: limit))
    } onWake: {
      say(.gateGoesOn(gate, elapsed: $0))
    }
    state.cost += answer.cost
    state.inputTokens += answer.inputTokens
    state.outputTokens += answer.outputTokens
    state.turns += answer.turns
    if let words = AgentLogin.refusal(result, answer) {
      throw BusError(
        .permissionDenied,
        "the agent \(agent.configuration.name) is not logged in: \(shown(words))",
        hint: "log in to it by hand, then go on with --resume")
    }
    return (result, answer)
  }

  /// What there is to say against a call of the agent, or nil.
  private func failure(
    _ result: ChildResult, _ answer: AgentAnswer, _ gate: LoopGate
  ) throws(BusError) -> GateResult? {
    if let stopped = stopped(result, gate) { return stopped }
    let output = answer.finalText + result.errors.text
    if result.cause == .timeLimit { return timedOut(result, gate, output) }
    guard result.exit == .code(0) else {
      return GateResult(
        gate: gate, verdict: .failed, reason: "the agent ended with \(result.words)",
        output: output, exitCode: code(result))
    }
    guard !answer.isError else {
      return GateResult(
        gate: gate, verdict: .failed, reason: "the agent reports an error", output: output,
        exitCode: 1)
    }
    return nil
  }

  mutating func testGate() throws(BusError) -> GateResult {
    // Tests may have come with this work; none are missing because it has removed them.
    tests = try TestCommand.chosen(options.testCommand, in: place.top) ?? tests
    guard let tests else {
      return GateResult(
        gate: .tests, verdict: .skipped, reason: "no tests were found; name them with --test-cmd")
    }
    let result = try judge(tests.command, .tests, options.timeLimits.tests)
    state.isTested = result.verdict == .passed
    return result
  }

  func qualityGate() throws(BusError) -> GateResult {
    guard let line = options.lintCommand else {
      return GateResult(gate: .quality, verdict: .skipped, reason: "no --lint-cmd")
    }
    return try judge(["/bin/sh", "-c", line], .quality, options.timeLimits.quality)
  }

  /// Runs a command whose exit code is the verdict.
  private func judge(
    _ command: [String], _ gate: LoopGate, _ limit: Duration
  ) throws(BusError) -> GateResult {
    var environment = options.environment
    environment[ProcessFamily.worktreeName] = place.top
    var request = ChildRequest(
      try Executable.find(command[0], environment: environment, directory: place.top),
      Array(command.dropFirst()), environment: environment, directory: place.top)
    request.mergesErrors = true
    let limit = min(limit, remaining)
    request.timeLimit = limit
    request.grace = options.timeLimits.grace
    let result = try ChildRun.run(request, stop: stop) {
      say(.gateIsLong(gate, elapsed: $0, limit: limit))
    } onWake: {
      say(.gateGoesOn(gate, elapsed: $0))
    }
    if let stopped = stopped(result, gate) { return stopped }
    let output = result.output.text
    if result.cause == .timeLimit { return timedOut(result, gate, output) }
    return GateResult(
      gate: gate, verdict: result.succeeded ? .passed : .failed, reason: result.words,
      output: output, exitCode: code(result))
  }

  /// A fresh call of the agent that sees the task and the difference, and nothing else.
  mutating func specGate() throws(BusError) -> GateResult {
    if options.skipsSpec {
      return GateResult(gate: .spec, verdict: .skipped, reason: "--skip-spec")
    }
    let before = try position()
    if let unfit = unfit(.spec, before) { return unfit }
    let patch = try WorkSnapshot.patch(git, from: state.base, to: before[1], limit: .max)
    let (result, answer) = try call(
      agent.reviewPrompt(state.task, patch: patch), .spec, options.timeLimits.spec)
    if let failed = try failure(result, answer, .spec) { return failed }
    try requireWorktree()
    guard try position()[1] == before[1] else {
      return GateResult(
        gate: .spec, verdict: .failed, reason: "the reviewer has changed files, untested ones now",
        output: answer.finalText, exitCode: 1)
    }
    return GateResult(
      gate: .spec, verdict: answer.saysSpecPassed ? .passed : .failed,
      reason: answer.saysSpecPassed ? "SPEC_PASS" : "the last line is not SPEC_PASS",
      output: answer.finalText, exitCode: answer.saysSpecPassed ? 0 : 1)
  }

  mutating func commitGate() throws(BusError) -> GateResult {
    guard options.commits else {
      return GateResult(gate: .commit, verdict: .skipped, reason: "--no-commit")
    }
    if let unfit = unfit(.commit, try position()) { return unfit }
    let title = state.task.split(whereSeparator: \.isNewline).first { !$0.trimmed.isEmpty } ?? ""
    let subject = String(title.drop { $0 == "#" || $0 == " " }.prefix(72).trimmed)
    let message =
      "\(subject.isEmpty ? state.taskID : subject)\n\nTask-Id: \(state.taskID)\n"
      + "Agent: \(state.agent)\nIterations: \(state.iteration)\n"
    let outcome = try WorkCommit.make(
      git, base: state.base, message: message, withHooks: options.runsHooks)
    switch outcome {
    case .stopped: return GateResult(gate: .commit, verdict: .stopped, reason: "stopped")
    case .refused(let words):
      return GateResult(
        gate: .commit, verdict: .failed, reason: "git or a hook refuses the commit", output: words,
        exitCode: 1)
    case .made(let commit):
      state.commit = commit
      return GateResult(gate: .commit, verdict: .passed, reason: String(commit.prefix(12)))
    }
  }

  private func stopped(_ result: ChildResult, _ gate: LoopGate) -> GateResult? {
    guard result.cause == .stopSignal else { return nil }
    return GateResult(gate: gate, verdict: .stopped, reason: "stopped")
  }

  /// A time-out of the whole loop ends it; a gate's own is a failed attempt.
  private func timedOut(_ result: ChildResult, _ gate: LoopGate, _ output: String) -> GateResult {
    let seconds = Int((result.duration / .seconds(1)).rounded())
    return GateResult(
      gate: gate, verdict: remaining <= .zero ? .stopped : .failed,
      reason: "timed out after \(seconds) s",
      output: output + "\nerror: the \(gate.rawValue) gate timed out after \(seconds) s\n",
      exitCode: 124)
  }

  private func code(_ result: ChildResult) -> Int {
    switch result.exit {
    case .code(let code): Int(code)
    case .signal(let number): 128 + Int(number)
    }
  }

  /// What helps when names are not known.
  private func facts() throws(BusError) -> String {
    let files = try git.must(["ls-files"]).split(separator: "\n")
    let more = files.count > 200 ? "\n[... \(files.count - 200) more files ...]" : ""
    let log = try git.must(["log", "--oneline", "-10", "--no-decorate"])
    return "Files:\n\(files.prefix(200).joined(separator: "\n"))\(more)\n\nLast commits:\n\(log)"
  }
}
