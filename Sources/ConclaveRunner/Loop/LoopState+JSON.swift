import ConclaveBus

extension LoopState {
  /// The names of the original, then what is new. Keys are only ever added.
  public var json: String { object(withTask: true).lines }

  /// One line, without the task's text.
  public var jsonLine: String { object(withTask: false).text + "\n" }

  private func object(withTask: Bool) -> JSONObject {
    var object = JSONObject()
    object.add("task_id", taskID)
    object.add("iteration", iteration)
    object.add("max_iterations", maxIterations)
    object.add("last_gate", lastGate)
    object.add("exit_code", exitCode)
    object.add("error_hash", errorHash)
    object.add("timestamp", timestamp)
    object.add("stuck_count", stuckCount)
    object.add("strategy_shifts", strategyShifts)
    object.add("attempts", attempts.map(\.json))
    object.add("status", status.rawValue)
    object.add("reason", reason)
    object.add("gate", gate)
    object.add("agent", agent)
    object.add("branch", branch)
    object.add("base", base)
    object.add("commit", commit)
    object.add("tested", isTested)
    object.add("failed_branch", failedBranch)
    object.add("told_more", toldMore)
    object.add("directive", directive)
    object.add("warnings", warnings)
    object.add("seconds", seconds)
    object.add("cost_usd", cost, digits: 6)
    object.add("input_tokens", inputTokens)
    object.add("output_tokens", outputTokens)
    object.add("turns", turns)
    if withTask { object.add("task", task) }
    return object
  }

  /// - Throws: `corrupt` for what no loop has written.
  init(json bytes: [UInt8]) throws(BusError) {
    guard let tree = try? JSONTree(bytes), let taskID = tree["task_id"]?.text,
      let iteration = tree["iteration"]?.int, iteration >= 1, iteration < 1 << 32,
      let maxIterations = tree["max_iterations"]?.int,
      let status = tree["status"]?.text.flatMap(Status.init(rawValue:)),
      let task = tree["task"]?.text, let base = tree["base"]?.text
    else {
      throw BusError(
        .corrupt, ".ralph_state.json is not the state of a loop",
        hint: "begin anew with --fresh, or remove it")
    }
    self.init(
      taskID: taskID, task: task, maxIterations: maxIterations,
      agent: tree["agent"]?.text ?? "", branch: tree["branch"]?.text ?? "", base: base)
    self.iteration = iteration
    self.status = status
    readRest(tree)
  }

  private mutating func readRest(_ tree: JSONTree) {
    lastGate = tree["last_gate"]?.text ?? ""
    exitCode = tree["exit_code"]?.int ?? 0
    errorHash = tree["error_hash"]?.text ?? ""
    timestamp = tree["timestamp"]?.text ?? ""
    stuckCount = max(0, tree["stuck_count"]?.int ?? 0)
    strategyShifts = max(0, tree["strategy_shifts"]?.int ?? 0)
    attempts = (tree["attempts"]?.array ?? []).compactMap(LoopAttempt.init)
    reason = tree["reason"]?.text ?? ""
    gate = tree["gate"]?.text ?? ""
    commit = tree["commit"]?.text ?? ""
    isTested = tree["tested"]?.bool ?? false
    failedBranch = tree["failed_branch"]?.text ?? ""
    toldMore = tree["told_more"]?.bool ?? false
    directive = tree["directive"]?.text ?? ""
    warnings = tree["warnings"]?.strings ?? []
    seconds = max(0, tree["seconds"]?.double ?? 0)
    cost = max(0, tree["cost_usd"]?.double ?? 0)
    inputTokens = max(0, tree["input_tokens"]?.int ?? 0)
    outputTokens = max(0, tree["output_tokens"]?.int ?? 0)
    turns = max(0, tree["turns"]?.int ?? 0)
  }
}

extension LoopAttempt {
  fileprivate var json: JSONObject {
    var object = JSONObject()
    object.add("iteration", iteration)
    object.add("gate", gate)
    object.add("hash", hash)
    object.add("shift", shift)
    object.add("tree", tree)
    object.add("summary", summary)
    object.add("verdict", verdict)
    object.add("seconds", seconds)
    return object
  }

  fileprivate init?(_ tree: JSONTree) {
    guard let iteration = tree["iteration"]?.int, let gate = tree["gate"]?.text,
      let hash = tree["hash"]?.text
    else { return nil }
    self.init(iteration: iteration, gate: gate, hash: hash)
    shift = tree["shift"]?.bool ?? false
    self.tree = tree["tree"]?.text ?? ""
    summary = tree["summary"]?.text ?? ""
    verdict = tree["verdict"]?.text ?? ""
    seconds = max(0, tree["seconds"]?.double ?? 0)
  }
}
