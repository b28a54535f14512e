import ConclaveBus

extension FleetRecord {
  /// One line, with its line feed. Keys are only ever added.
  func line(_ time: Timestamp) -> String {
    var object = JSONObject()
    object.add("record", name)
    object.add("time", time.description)
    add(to: &object)
    return object.text + "\n"
  }

  private var name: String {
    switch self {
    case .began: "began"
    case .resumed: "resumed"
    case .waveBegan: "wave_began"
    case .started: "started"
    case .ended: "ended"
    case .conflict: "conflict"
    case .publishing: "publishing"
    case .published: "published"
    case .unpublished: "unpublished"
    case .gate: "gate"
    case .skipped: "skipped"
    case .retried: "retried"
    case .waveEnded: "wave_ended"
    case .runEnded: "run_ended"
    }
  }

  private func add(to object: inout JSONObject) {
    switch self {
    case .began(let identity): identity.add(to: &object)
    case .resumed(let process): object.add("process", process)
    case .waveBegan(let wave, let head):
      object.add("wave", wave)
      object.add("head", head)
    case .started(let task, let attempt, let base):
      object.add("task", task)
      object.add("attempt", attempt)
      object.add("base", base)
    case .ended(let result): result.add(to: &object)
    case .conflict(let note): note.add(to: &object)
    case .publishing(let merge), .published(let merge): merge.add(to: &object)
    case .unpublished: break
    case .gate(let wave, let passed, let culprit):
      object.add("wave", wave)
      object.add("passed", passed)
      if let culprit { object.add("task", culprit) }
    case .skipped(let task, let reason):
      object.add("task", task)
      object.add("reason", reason)
    case .retried(let task): object.add("task", task)
    case .waveEnded(let wave): object.add("wave", wave)
    case .runEnded(let end): object.add("end", end)
    }
  }

  /// nil for what no run has written.
  init?(json bytes: [UInt8]) {
    guard let tree = try? JSONTree(bytes), let name = tree["record"]?.text,
      let record = FleetRecord.simple(name, tree) ?? FleetRecord.compound(name, tree)
    else { return nil }
    self = record
  }

  private static func simple(_ name: String, _ tree: JSONTree) -> FleetRecord? {
    let number = tree["task"]?.int ?? tree["wave"]?.int ?? tree["process"]?.int ?? 0
    switch name {
    case "resumed": return .resumed(process: number)
    case "wave_began":
      guard let wave = tree["wave"]?.int, let head = tree["head"]?.text else { return nil }
      return .waveBegan(wave, head: head)
    case "started":
      guard let task = tree["task"]?.int, let attempt = tree["attempt"]?.int, attempt > 0,
        let base = tree["base"]?.text
      else { return nil }
      return .started(task: task, attempt: min(attempt, 1 << 32), base: base)
    case "gate":
      guard let wave = tree["wave"]?.int, let passed = tree["passed"]?.bool else { return nil }
      return .gate(wave: wave, passed: passed, culprit: tree["task"]?.int)
    case "unpublished": return .unpublished
    case "skipped": return .skipped(task: number, reason: tree["reason"]?.text ?? "")
    case "retried": return .retried(task: number)
    case "wave_ended": return .waveEnded(number)
    case "run_ended": return .runEnded(tree["end"]?.text ?? "")
    default: return nil
    }
  }

  private static func compound(_ name: String, _ tree: JSONTree) -> FleetRecord? {
    switch name {
    case "began": FleetIdentity(tree).map(FleetRecord.began)
    case "ended": TaskResult(tree).map(FleetRecord.ended)
    case "conflict": ConflictNote(tree).map(FleetRecord.conflict)
    case "publishing": FleetMerge(tree).map(FleetRecord.publishing)
    case "published": FleetMerge(tree).map(FleetRecord.published)
    default: nil
    }
  }
}

extension FleetIdentity {
  fileprivate func add(to object: inout JSONObject) {
    object.add("run", run)
    object.add("process", process)
    object.add("top", top)
    object.add("branch", branch)
    object.add("base", base)
    object.add("worktrees", worktrees)
    object.add("arguments", arguments)
    object.add("schedule", schedule.rawValue)
  }

  fileprivate init?(_ tree: JSONTree) {
    guard let run = tree["run"]?.text, let top = tree["top"]?.text, top.hasPrefix("/"),
      let branch = tree["branch"]?.text, let base = tree["base"]?.text,
      let worktrees = tree["worktrees"]?.text, worktrees.hasPrefix("/"),
      let arguments = tree["arguments"]?.strings,
      // Runs of earlier versions do not say it.
      let schedule = PlanSchedule(rawValue: tree["schedule"]?.text ?? "wave")
    else { return nil }
    self.init(
      run: run, process: tree["process"]?.int ?? 0, top: top, branch: branch, base: base,
      worktrees: worktrees, arguments: arguments, schedule: schedule)
  }
}

extension TaskResult {
  fileprivate func add(to object: inout JSONObject) {
    object.add("task", task)
    object.add("attempt", attempt)
    object.add("end", end.rawValue)
    object.add("tip", tip)
    object.add("tested", isTested)
    object.add("iterations", iterations)
    object.add("seconds", seconds)
    object.add("cost_usd", cost, digits: 6)
    object.add("agent", agent)
    object.add("reason", reason)
    object.add("kept", kept)
  }

  fileprivate init?(_ tree: JSONTree) {
    guard let task = tree["task"]?.int, let attempt = tree["attempt"]?.int,
      let end = tree["end"]?.text.flatMap(TaskEnd.init(rawValue:))
    else { return nil }
    self.init(task: task, attempt: attempt, end: end)
    tip = tree["tip"]?.text ?? ""
    isTested = tree["tested"]?.bool ?? false
    iterations = max(0, tree["iterations"]?.int ?? 0)
    seconds = max(0, tree["seconds"]?.double ?? 0)
    cost = max(0, tree["cost_usd"]?.double ?? 0)
    agent = tree["agent"]?.text ?? ""
    reason = tree["reason"]?.text ?? ""
    kept = tree["kept"]?.text ?? ""
  }
}

extension ConflictNote {
  fileprivate func add(to object: inout JSONObject) {
    object.add("task", task)
    object.add("attempt", attempt)
    object.add("files", files)
    object.add("tests", tests)
    object.add("base", base)
    object.add("tip", tip)
    object.add("kept", kept)
  }

  fileprivate init?(_ tree: JSONTree) {
    guard let task = tree["task"]?.int, let attempt = tree["attempt"]?.int,
      let base = tree["base"]?.text, let tip = tree["tip"]?.text
    else { return nil }
    self.init(
      task: task, attempt: attempt, files: tree["files"]?.strings ?? [],
      tests: tree["tests"]?.text ?? "", base: base, tip: tip, kept: tree["kept"]?.text ?? "")
  }
}

extension FleetMerge {
  fileprivate func add(to object: inout JSONObject) {
    object.add("old", old)
    object.add("new", new)
    object.add(
      "parts",
      parts.map { part in
        var entry = JSONObject()
        entry.add("task", part.task)
        entry.add("commit", part.commit)
        return entry
      })
  }

  fileprivate init?(_ tree: JSONTree) {
    guard let old = tree["old"]?.text, let new = tree["new"]?.text,
      let list = tree["parts"]?.array
    else { return nil }
    let parts = list.compactMap { entry -> Part? in
      guard let task = entry["task"]?.int, let commit = entry["commit"]?.text else { return nil }
      return Part(task: task, commit: commit)
    }
    self.init(old: old, new: new, parts: parts)
  }
}
