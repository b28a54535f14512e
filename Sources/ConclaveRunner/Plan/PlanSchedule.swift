/// When the tasks of a plan begin.
public enum PlanSchedule: String, Hashable, Sendable, CaseIterable {
  /// All of a wave when the wave before is over.
  case wave
  /// Each as soon as everything is merged that it waits for.
  case eager
}

extension PlanGraph {
  /// The tasks that share a board and end together: the waves, or with
  /// ``PlanSchedule/eager`` a single one, with all tasks in plan order.
  public func waves(by schedule: PlanSchedule) -> [[Int]] {
    switch schedule {
    case .wave: waves
    case .eager: [plan.tasks.map(\.id)]
    }
  }
}
