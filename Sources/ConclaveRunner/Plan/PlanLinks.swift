/// Who waits for whom, by position in the plan.
struct PlanLinks: Sendable {
  /// By dependency alone.
  private(set) var dependants: [[Int]]
  /// By dependency or overlap.
  private(set) var successors: [[Int]]
  private(set) var predecessors: [[Int]]

  /// Only the dependencies, of which those that name no other task are left out.
  init(_ plan: Plan, _ positions: [Int: Int]) {
    let none = [[Int]](repeating: [], count: plan.tasks.count)
    dependants = none
    predecessors = none
    for (position, task) in plan.tasks.enumerated() {
      for before in Set(task.dependencies.compactMap { positions[$0] }).sorted()
      where before != position {
        dependants[before].append(position)
        predecessors[position].append(before)
      }
    }
    successors = dependants
  }

  mutating func add(_ overlap: PlanOverlapSearch.Found) {
    successors[overlap.first].append(overlap.second)
    predecessors[overlap.second].append(overlap.first)
  }

  /// Everybody behind all their predecessors; without those that are in a cycle or behind one.
  func topologicalOrder() -> [Int] {
    var missing = predecessors.map(\.count)
    var order = missing.indices.filter { missing[$0] == 0 }
    var next = 0
    while next < order.count {
      for successor in successors[order[next]] {
        missing[successor] -= 1
        if missing[successor] == 0 { order.append(successor) }
      }
      next += 1
    }
    return order
  }

  /// The length of the longest way to each.
  ///
  /// - Parameter order: everybody behind all their predecessors.
  func depths(along order: [Int]) -> [Int] {
    var depths = [Int](repeating: 0, count: predecessors.count)
    for position in order {
      depths[position] = predecessors[position].reduce(0) { max($0, depths[$1] + 1) }
    }
    return depths
  }

  /// From a start to the deepest one, through the earliest of those that are as deep.
  func longestPath(_ depths: [Int]) -> [Int] {
    guard let deepest = depths.max(), var position = depths.firstIndex(of: deepest) else {
      return []
    }
    var path = [position]
    while depths[position] > 0 {
      let depth = depths[position] - 1
      guard let before = predecessors[position].filter({ depths[$0] == depth }).min() else { break }
      path.append(before)
      position = before
    }
    return path.reversed()
  }
}
