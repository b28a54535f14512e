/// Whose turn it is, by what has become of a plan's tasks so far: a value.
///
/// It is a task's turn when all that it waits for is done or lost, and all that those have waited
/// for, and so on. The latter is more than the former where one is skipped that others wait for:
/// of many that change the same file each waits only for the one before.
struct PlanTurn {
  enum State: Hashable, Sendable, CaseIterable {
    case open
    case done
    /// Failed, or never begun.
    case lost
  }

  /// Those that can begin.
  private(set) var ready: [Int] = []
  /// Those that cannot, since one is lost that they depend on; also what is lost with them. Each
  /// with the first of those.
  private(set) var lost: [(task: Int, cause: Int)] = []

  /// O(tasks + links).
  init(_ graph: PlanGraph, _ state: (Int) -> State) {
    // What has ended, and all that it has waited for.
    var over: Set<Int> = []
    var gone: Set<Int> = []
    // A wave needs only the waves before it.
    for id in graph.waves.joined() {
      let state = state(id)
      if state == .lost { gone.insert(id) }
      guard graph.predecessors(of: id).allSatisfy(over.contains) else { continue }
      if state != .open {
        over.insert(id)
      } else if let cause = graph.task(id)?.dependencies.first(where: gone.contains) {
        lost.append((id, cause))
        gone.insert(id)
        over.insert(id)
      } else {
        ready.append(id)
      }
    }
  }
}
