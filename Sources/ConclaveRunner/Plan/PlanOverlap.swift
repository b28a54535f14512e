/// Two tasks that change the same files, so that one waits for the other.
public struct PlanOverlap: Hashable, Sendable {
  /// The task that goes first: the one of the earlier wave, as the dependencies alone make them, or
  /// else of the earlier place in the plan.
  public let first: Int
  /// The task that waits for it.
  public let second: Int
  /// What they collide in, at least one.
  public let collisions: [PlanCollision]
}

/// Two paths, of two tasks, that may be the same file.
public struct PlanCollision: Hashable, Sendable, CustomStringConvertible {
  /// As the task that goes first names it.
  public let first: String
  /// As the task that waits names it.
  public let second: String

  /// Half a sentence, for instance `both change src/a.swift`.
  public var description: String {
    let paths = (PlanPath(first), PlanPath(second))
    if first == second, !paths.0.isPattern { return "both change \(first)" }
    if paths.0.isPattern || paths.1.isPattern {
      return first == second
        ? "both change files like \(first)" : "\(first) and \(second) may be the same files"
    }
    if paths.0.key == paths.1.key { return "\(first) and \(second) differ in case only" }
    return paths.0.parts.count < paths.1.parts.count
      ? "\(second) lies in \(first)" : "\(first) lies in \(second)"
  }
}
