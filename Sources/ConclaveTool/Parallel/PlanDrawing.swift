import ConclaveRunner

/// A plan's graph as a picture.
struct PlanDrawing {
  private let graph: PlanGraph

  init(_ graph: PlanGraph) { self.graph = graph }

  /// For Graphviz: a column for each wave, dashed arrows for what waits because of files alone,
  /// the critical path in bold.
  var dot: String {
    let bold = Set(graph.criticalPath)
    let tasks = graph.plan.tasks.map { task in
      "  \(task.id) [label=\(PlanDrawing.quoted("\(task.id): \(task.title)"))"
        + "\(bold.contains(task.id) ? ", style=bold" : "")];\n"
    }
    let waves = graph.waves.map { ids in
      "  { rank=same; \(ids.map { "\($0);" }.joined(separator: " ")) }\n"
    }
    let dependencies = graph.plan.tasks.flatMap { task in
      task.dependencies.map { "  \($0) -> \(task.id);\n" }
    }
    let overlaps = graph.overlaps.map { overlap in
      let reason = overlap.collisions.first?.description ?? ""
      return "  \(overlap.first) -> \(overlap.second) "
        + "[style=dashed, label=\(PlanDrawing.quoted(reason))];\n"
    }
    return "digraph plan {\n  rankdir=LR;\n  node [shape=box];\n"
      + (tasks + waves + dependencies + overlaps).joined() + "}\n"
  }

  /// A line for each task, the further to the right the later its wave, with what it waits for;
  /// a star marks what it waits for because of files alone.
  var text: String {
    graph.waves.enumerated().flatMap { wave, ids in
      ids.map { line($0, indent: String(repeating: " ", count: min(2 * wave, 60))) }
    }.joined()
  }

  private func line(_ id: Int, indent: String) -> String {
    guard let task = graph.task(id) else { return "" }
    let dependencies = Set(task.dependencies)
    let before = graph.predecessors(of: id).map { dependencies.contains($0) ? "\($0)" : "\($0)*" }
    let arrow = before.isEmpty ? "" : "  <- \(before.joined(separator: ", "))"
    return "\(indent)\(id) \(printable(task.title))\(arrow)\n"
  }

  private static func quoted(_ text: String) -> String {
    let escaped = printable(text).replacing("\\", with: "\\\\")
    return "\"\(escaped.replacing("\"", with: "\\\""))\""
  }
}
