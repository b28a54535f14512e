/// What is wrong with a plan whose text can be read.
enum PlanValidation {
  static func issues(_ plan: Plan, assumesIndependent: Bool) -> [PlanIssue] {
    guard !plan.tasks.isEmpty else {
      return [
        PlanIssue(
          .noTasks, line: 1, "the plan has no tasks",
          hint: "begin the section of each with a heading such as ## Task 1: Title")
      ]
    }
    let positions = plan.positions
    var issues: [PlanIssue] = []
    for (position, task) in plan.tasks.enumerated() {
      if let first = positions[task.id], first != position {
        issues.append(duplicate(task, of: plan.tasks[first]))
      }
      if !task.saysDependencies, !assumesIndependent { issues.append(missing(task)) }
      issues += dependencies(of: task, positions)
    }
    return issues + cycles(plan, positions)
  }

  private static func duplicate(_ task: PlanTask, of first: PlanTask) -> PlanIssue {
    PlanIssue(
      .duplicateTask, line: task.line, "task \(task.id) is in line \(first.line) already",
      hint: "give it another number")
  }

  private static func missing(_ task: PlanTask) -> PlanIssue {
    PlanIssue(
      .missingDependencies, line: task.line,
      "task \(task.id) does not say on which tasks it depends",
      hint: "write Dependencies: None, or Dependencies: Task 1, or use --assume-independent")
  }

  private static func dependencies(of task: PlanTask, _ positions: [Int: Int]) -> [PlanIssue] {
    task.dependencies.compactMap { id in
      if id == task.id {
        return PlanIssue(
          .dependsOnItself, line: task.line, "task \(id) depends on itself",
          hint: "leave it out of its dependencies")
      }
      guard positions[id] == nil else { return nil }
      return PlanIssue(
        .unknownTask, line: task.line,
        "task \(task.id) depends on task \(id), which the plan does not have",
        hint: "correct the number, or leave it out")
    }
  }

  private static func cycles(_ plan: Plan, _ positions: [Int: Int]) -> [PlanIssue] {
    PlanCycles(PlanLinks(plan, positions)).shortest().map { cycle in
      let ids = (cycle + cycle.prefix(1)).map { "\(plan.tasks[$0].id)" }
      let shown = ids.count <= 20 ? ids : ids.prefix(18) + ["..."] + ids.suffix(1)
      return PlanIssue(
        .cycle, line: plan.tasks[cycle.first ?? 0].line,
        "tasks wait for each other in a circle: \(shown.joined(separator: " waits for "))",
        hint: "leave one of these dependencies out")
    }
  }
}
