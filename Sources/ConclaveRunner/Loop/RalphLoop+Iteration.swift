import ConclaveBus

extension RalphLoop {
  /// One pass through the gates.
  ///
  /// - Returns: the end of the loop, or nil when there is to be another iteration.
  mutating func iterate() throws(BusError) -> LoopOutcome.End? {
    let began = clock.now
    finalText = ""
    state.isTested = false
    let gates: [(LoopGate, (inout RalphLoop) throws(BusError) -> GateResult)] = [
      (.implement, { (loop) throws(BusError) in try loop.implementGate() }),
      (.tests, { (loop) throws(BusError) in try loop.testGate() }),
      (.spec, { (loop) throws(BusError) in try loop.specGate() }),
      (.quality, { (loop) throws(BusError) in try loop.qualityGate() }),
      (.commit, { (loop) throws(BusError) in try loop.commitGate() }),
    ]
    for (gate, work) in gates {
      if let end = try endBetweenGates() {
        publish(gate, passed: false)
        return end
      }
      state.gate = gate.rawValue
      try save()
      say(.gateBegan(gate, iteration: state.iteration))
      let result = try work(&self)
      try log(result)
      say(.gateEnded(gate, words: word(result.verdict), reason: result.reason))
      if let end = try consider(result, began) { return end }
      if result.verdict == .failed, gate != .quality { return try fail(result, began) }
    }
    recordFix()
    return .passed
  }

  /// What a gate's result means beside passing or not: publishes, and looks for a reason to end.
  private mutating func consider(
    _ result: GateResult, _ began: SuspendingClock.Instant
  ) throws(BusError) -> LoopOutcome.End? {
    publish(result)
    if result.verdict == .stopped { return try endBetweenGates() ?? .timedOut }
    if result.verdict == .astray {
      state.reason = result.reason
      return .astray
    }
    if result.gate == .implement, let reason = AgentAnswer(finalText: finalText).blockedReason {
      options.board.askForHelp(reason)
      state.reason = reason
      return .blocked
    }
    if result.gate == .quality, result.verdict == .failed {
      state.warnings = [result.reason]
    }
    return nil
  }

  /// That something has changed says nothing about it: what the agent has found out is published
  /// when the tests have passed, without tests when the reviewer has agreed, and at the latest when
  /// nothing is left that would judge it.
  private func publish(_ result: GateResult) {
    switch (result.gate, result.verdict) {
    case (.implement, .passed): break
    case (.quality, .passed), (.quality, .failed), (.quality, .skipped), (_, .passed):
      publish(result.gate, passed: true)
    case (_, .skipped): break
    case (_, .failed), (_, .stopped), (_, .astray): publish(result.gate, passed: false)
    }
  }

  private func publish(_ gate: LoopGate, passed: Bool) {
    if !finalText.isEmpty { options.board.publish(finalText, told, gate, passed) }
  }

  /// Writes down what failed, decides what to do about it, and goes on or gives up.
  private mutating func fail(
    _ result: GateResult, _ began: SuspendingClock.Instant
  ) throws(BusError) -> LoopOutcome.End? {
    // Who changes nothing must still see what is wrong with the work as it is.
    lastError = result.output.isEmpty ? "\(result.reason)\n\n\(lastFinding)" : result.output
    if !result.output.isEmpty { lastFinding = result.output }
    try DurableFile.write(
      Array(ContextFile.shortened(lastError).utf8), to: "\(place.folder)/last-error")
    let hash = ErrorFingerprint.of(result.output.isEmpty ? result.reason : result.output)
    let isSame = state.errorHash == hash && state.lastGate == result.gate.rawValue
    state.stuckCount = isSame ? state.stuckCount + 1 : 1
    state.errorHash = hash
    state.lastGate = result.gate.rawValue
    state.exitCode = result.exitCode
    var attempt = LoopAttempt(
      iteration: state.iteration, gate: result.gate.rawValue, hash: hash,
      shift: state.strategyShifts > 0)
    attempt.tree = tree
    attempt.summary =
      result.output.isEmpty
      ? result.reason : ErrorFingerprint.headline(result.output)
    attempt.seconds = began.duration(to: clock.now) / .seconds(1)
    state.attempts.append(attempt)
    let end = advise()
    if end == nil { state.iteration += 1 }
    try save()
    return end
  }

  /// The tiers: another strategy, at most twice; more context; the end.
  private mutating func advise() -> LoopOutcome.End? {
    let judge = StuckJudge(threshold: options.stuckThreshold)
    state.directive = ""
    let last = state.attempts.count - 1
    switch judge.advice(
      state.attempts, shifts: state.strategyShifts, hasToldMore: state.toldMore)
    {
    case .goOn: return nil
    case .shiftStrategy(let reason):
      state.strategyShifts += 1
      state.attempts[last].verdict = "shift \(state.strategyShifts): \(reason)"
      state.directive = LoopPrompt.shift(reason, number: state.strategyShifts)
    case .tellMore(let reason):
      state.toldMore = true
      state.attempts[last].verdict = "context: \(reason)"
      state.directive = LoopPrompt.tellMore
    case .stop(let reason):
      state.attempts[last].verdict = "stop: \(reason)"
      state.reason = "stuck: \(reason), at \(LoopAttempt.lastFailure(state.attempts))"
      return .failed
    }
    say(.note("stuck: \(state.attempts[last].verdict)"))
    return nil
  }

  private func recordFix() {
    guard !state.attempts.isEmpty else { return }
    var hashes: [String] = []
    for attempt in state.attempts where !hashes.contains(attempt.hash) {
      hashes.append(attempt.hash)
    }
    let change = (try? WorkSnapshot.summary(git, from: state.base, to: tree)) ?? ""
    let error = state.attempts.last?.summary ?? ""
    let last = finalText.trimmed.split(whereSeparator: \.isNewline).first { !$0.hasPrefix("<!--") }
    options.board.recordFix(
      hashes, "fixed: \(error) (\(change)). \(String(last?.prefix(300) ?? ""))")
  }

  private func log(_ result: GateResult) throws(BusError) {
    guard !result.output.isEmpty else { return }
    try DurableFile.write(
      Array(result.output.utf8), to: place.logFile(state.iteration, result.gate.rawValue))
  }

  private func word(_ verdict: GateResult.Verdict) -> String {
    switch verdict {
    case .passed: "passed"
    case .failed: "failed"
    case .skipped: "skipped"
    case .stopped: "stopped"
    case .astray: "ended"
    }
  }
}
