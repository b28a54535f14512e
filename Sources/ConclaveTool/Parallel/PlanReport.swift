import ConclaveBus
import ConclaveRunner

/// What is to be said of a plan before anything of it is done.
struct PlanReport {
  let graph: PlanGraph
  let schedule: PlanSchedule
  /// The plan's file.
  let name: String
  let hindrances: [BusError]

  init(
    _ graph: PlanGraph, _ schedule: PlanSchedule, name: String, hindrances: [BusError]
  ) {
    self.graph = graph
    self.schedule = schedule
    self.name = name
    self.hindrances = hindrances
  }

  func text(_ drawing: ParallelOptions.Drawing?) -> String {
    switch drawing {
    case nil: text
    case .dot: PlanDrawing(graph).dot
    case .text: PlanDrawing(graph).text
    }
  }

  private var text: String {
    let parts = graph.waves(by: schedule).enumerated().map { wave, ids in
      (schedule == .wave ? "\nWave \(wave)\n" : "\n") + ids.map(line).joined()
    }
    let order =
      switch schedule {
      case .wave: " in \(counted(graph.waves.count, "wave"))"
      case .eager: ", each begun as soon as those that it is behind are merged"
      }
    return "\(printable(name)): \(counted(graph.plan.tasks.count, "task"))\(order)\n"
      + parts.joined() + overlaps
      + "\nCritical path: \(PlanReport.list(graph.criticalPath))\n" + unknownFiles
  }

  private func line(_ id: Int) -> String {
    guard let task = graph.task(id) else { return "" }
    let needs = graph.predecessors(of: id)
    let behind = needs.isEmpty ? "" : "  (behind \(PlanReport.list(needs)))"
    return "  \(id)  \(printable(task.title))\(behind)\n"
  }

  private var overlaps: String {
    guard !graph.overlaps.isEmpty else { return "" }
    let lines = graph.overlaps.map { overlap in
      let reasons = overlap.collisions.prefix(3).map { printable($0.description) }
      let others = overlap.collisions.count - reasons.count
      let more = others > 0 ? [counted(others, "more collision")] : []
      return "  \(overlap.second) waits for \(overlap.first): "
        + (reasons + more).joined(separator: ", ") + "\n"
    }
    return "\nBecause of files alone\n" + lines.joined()
  }

  /// Nothing is known of what they would collide in, and that is worth knowing.
  private var unknownFiles: String {
    let ids = graph.plan.tasks.filter(\.files.isEmpty).map(\.id)
    guard !ids.isEmpty else { return "" }
    return "Name no files, so that collisions are not foreseen: \(PlanReport.list(ids))\n"
  }

  private static func list(_ ids: [Int]) -> String {
    ids.map(String.init).joined(separator: ", ")
  }
}

extension PlanReport {
  /// For scripts, one line; keys are only ever added.
  var json: String {
    var object = JSONObject()
    let parts = graph.waves(by: schedule)
    let waves = Dictionary(
      uniqueKeysWithValues: parts.enumerated().flatMap { wave, ids in
        ids.map { ($0, wave) }
      })
    object.add("schedule", schedule.rawValue)
    object.add("tasks", graph.plan.tasks.map { json($0, wave: waves[$0.id] ?? 0) })
    object.add("waves", parts.count)
    object.add("overlaps", graph.overlaps.map(json))
    object.add("criticalPath", graph.criticalPath)
    object.add(
      "hindrances",
      hindrances.map { error in
        var object = JSONObject()
        object.add("code", error.code.rawValue)
        object.add("message", error.message)
        object.add("hint", error.hint)
        return object
      })
    return object.text + "\n"
  }

  private func json(_ task: PlanTask, wave: Int) -> JSONObject {
    var object = JSONObject()
    object.add("id", task.id)
    object.add("title", task.title)
    object.add("line", task.line)
    object.add("wave", wave)
    object.add("branch", task.branchName)
    object.add("dependencies", task.dependencies)
    object.add("behind", graph.predecessors(of: task.id))
    object.add("files", task.files.map(json))
    return object
  }

  private func json(_ file: PlanFile) -> JSONObject {
    var object = JSONObject()
    object.add("path", file.path)
    object.add("kind", file.kind.rawValue)
    if let lines = file.lines { object.add("lines", [lines.lowerBound, lines.upperBound]) }
    return object
  }

  private func json(_ overlap: PlanOverlap) -> JSONObject {
    var object = JSONObject()
    object.add("first", overlap.first)
    object.add("second", overlap.second)
    object.add("reasons", overlap.collisions.map(\.description))
    return object
  }
}
