import ConclaveBus

/// Merging what has passed. Nothing that anybody sees changes before everything is known to fit.
extension FleetRun {
  private struct Chain {
    let head: String
    var parts: [FleetMerge.Part] = []
    var conflicts: [(task: Int, files: [String])] = []

    var end: String { parts.last?.commit ?? head }
  }

  /// Merges the tasks that have passed, in plan order, as far as they fit and the tests pass with
  /// them; the others are done again. `ids` are in plan order.
  ///
  /// - Returns: why the run is to end, or nil to go on.
  mutating func merge(
    _ wave: Int, _ ids: [Int], _ gate: WaveGate
  ) throws(BusError) -> FleetOutcome.End? {
    var broken: [Int: String] = [:]
    var kills = 0
    while stop.reason == nil {
      let passed = ids.filter { ledger[$0].status == .passed && broken[$0] == nil }
      let chain = try chain(passed)
      if let (culprit, output) = try judge(chain, wave, gate) {
        broken[culprit] = output
        continue
      }
      if stop.reason != nil { break }
      switch try publish(chain) {
      case .done: break
      case .moved: continue
      case .refused(let words): return .obstructed(words)
      case .killed(let signal):
        kills += 1
        guard kills > 2 || isStopping else { continue }
        return hinder(
          BusError(
            .system, "git merge was ended by \(signalName(signal)) \(counted(kills, "time"))",
            hint: "find out who does that"))
      case .failed(let error), .torn(let error): return hinder(error)
      }
      for (id, files) in chain.conflicts { try setAside(id, .files(files)) }
      for (id, output) in broken.sorted(by: { $0.key < $1.key }) {
        try setAside(id, .tests(output))
      }
      return nil
    }
    return .interrupted
  }

  func gate(_ wave: Int) -> WaveGate {
    WaveGate(
      site: site, options: options, log: LogFile(path: "\(folder.path)/wave-\(wave).log"),
      stop: stop)
  }

  /// One commit for each task, on top of the branch, which stays where it is.
  private mutating func chain(_ ids: [Int]) throws(BusError) -> Chain {
    var chain = Chain(head: try site.advance.head)
    for id in ids {
      guard let task = graph.task(id) else { continue }
      let outcome: SquashMerge.Outcome
      do throws(BusError) {
        outcome = try SquashMerge.commit(
          site.git, ledger[id].tip, onto: chain.end, message: message(task))
      } catch  where !error.isCommon {
        try fail(id, "it cannot be merged: \(error.message)")
        continue
      }
      switch outcome {
      case .merged(let commit): chain.parts.append(.init(task: id, commit: commit))
      case .contained: chain.parts.append(.init(task: id, commit: chain.end))
      case .conflict(let files): chain.conflicts.append((id, files))
      }
    }
    return chain
  }

  private func message(_ task: PlanTask) -> String {
    let entry = ledger[task.id]
    let agent = entry.agent.isEmpty ? "" : "Agent: \(entry.agent)\n"
    return "Task \(task.id): \(task.title)\n\nTask-Id: task-\(task.id)\n\(agent)"
      + "Iterations: \(entry.iterations)\n"
  }

  /// Runs the tests on the end of the chain.
  ///
  /// - Returns: the task that is not to be merged, and what the tests said; nil when all are.
  private mutating func judge(
    _ chain: Chain, _ wave: Int, _ gate: WaveGate
  ) throws(BusError) -> (task: Int, output: String)? {
    let commits = chain.parts.map(\.commit)
    guard chain.end != chain.head, options.gate != .nothing else { return nil }
    let isGood = try isTested(chain.parts.first)
    if isGood, Set(commits).count == 1 {
      // Nothing is left of what has failed before.
      if ledger.gates[wave] == false {
        try record(.gate(wave: wave, passed: true, culprit: nil))
      }
      return nil
    }
    let name = name(wave)
    say(.gateBegan(wave: name))
    switch try gate.judge(chain.end) {
    case .stopped: return nil
    case .skipped:
      say(.gateEnded(wave: name, passed: true, culprit: nil, words: "there are no tests"))
    case .passed:
      try record(.gate(wave: wave, passed: true, culprit: nil))
      say(.gateEnded(wave: name, passed: true, culprit: nil, words: "the tests pass"))
    case .failed(let output):
      let found = try gate.firstFailing(
        commits, isGood: isGood, base: chain.head, output: output)
      if stop.reason != nil { return nil }
      let culprit = found.map { chain.parts[$0.place].task }
      try record(.gate(wave: wave, passed: false, culprit: culprit))
      let words =
        culprit.map { "the tests fail with the merge of task \($0)" }
        ?? "the tests fail, and failed before \(name == nil ? "this merge" : "this wave")"
      say(
        .gateEnded(
          wave: name, passed: false, culprit: culprit,
          words: "\(words): \(ErrorFingerprint.headline(found?.output ?? output))"))
      if let culprit, let found { return (culprit, found.output) }
    }
    return nil
  }

  /// Whether merging it has made nothing that its own loop has not tested.
  private func isTested(_ part: FleetMerge.Part?) throws(BusError) -> Bool {
    guard let part, ledger[part.task].isTested else { return false }
    return try site.git.must(["rev-parse", "\(part.commit)^{tree}"])
      == site.git.must(["rev-parse", "\(ledger[part.task].tip)^{tree}"])
  }

  private mutating func publish(_ chain: Chain) throws(BusError) -> BranchAdvance.Outcome {
    guard !chain.parts.isEmpty else { return .done }
    let merge = FleetMerge(old: chain.head, new: chain.end, parts: chain.parts)
    try site.advance.prepare(from: merge.old, to: merge.new)
    try record(.publishing(merge))
    let outcome = try site.advance.advance(from: merge.old, to: merge.new)
    // What is torn is for whoever goes on, who knows by the record that it is.
    if case .torn = outcome { return outcome }
    guard outcome == .done else {
      try record(.unpublished)
      return outcome
    }
    try record(.published(merge))
    for part in merge.own {
      say(.merged(part.task, commit: part.commit))
      guard let place = place(of: part.task) else { continue }
      do throws(BusError) { try clear(place, safe: ledger[part.task].safe) } catch {
        say(.note(error.message))
      }
    }
    return .done
  }

  /// Keeps the work of an attempt that cannot be merged, and has the task done again, or gives up.
  private mutating func setAside(_ id: Int, _ conflict: TaskConflict) throws(BusError) {
    guard let place = place(of: id) else { return }
    let entry = ledger[id]
    let willRetry = entry.conflicts < options.maxReruns
    say(.conflict(id, conflict, willRetry: willRetry))
    guard willRetry else {
      let times = entry.conflicts + 1
      return try fail(id, "it could not be merged \(counted(times, "time")): \(words(conflict))")
    }
    let kept = try FailedWork.keep(site.git, commit: entry.tip, task: place.name)
    var note = ConflictNote(
      task: id, attempt: entry.attempt, files: [], tests: "", base: entry.base, tip: entry.tip,
      kept: kept)
    switch conflict {
    case .files(let files): note.files = files
    case .tests(let output): note.tests = output
    }
    try record(.conflict(note))
    try clear(place, safe: [entry.tip])
  }

  private func words(_ conflict: TaskConflict) -> String {
    switch conflict {
    case .files(let files): "conflicts in \(files.map(shown).joined(separator: ", "))"
    case .tests(let output): "with it the tests fail: \(ErrorFingerprint.headline(output))"
    }
  }

  /// A task that has passed, and all the same is not done.
  private mutating func fail(_ id: Int, _ reason: String) throws(BusError) {
    try take(ledger[id].failure(id, reason))
  }
}
