/// Circles of tasks that wait for each other.
struct PlanCycles {
  private let links: PlanLinks
  /// Those that no order has room for.
  private let rest: Set<Int>

  init(_ links: PlanLinks) {
    self.links = links
    let placed = Set(links.topologicalOrder())
    rest = Set(links.predecessors.indices.filter { !placed.contains($0) })
  }

  /// For each set of tasks that all wait for each other a shortest circle through the earliest of
  /// them: each one waits for the next, and the last for the first.
  ///
  /// - Complexity: O(tasks and dependencies).
  func shortest() -> [[Int]] {
    let groups = groups()
    return rest.sorted().compactMap { start in
      // The earliest of each group speaks for it.
      groups[start].flatMap { group in
        group == start ? circle(from: start) { groups[$0] == group } : nil
      }
    }
  }

  private func circle(from start: Int, _ isInside: (Int) -> Bool) -> [Int]? {
    var origin: [Int: Int] = [:]
    var waiting = [start]
    var next = 0
    while next < waiting.count {
      let position = waiting[next]
      next += 1
      for before in links.predecessors[position] where isInside(before) {
        guard before != start else {
          var path = [position]
          while let last = path.last, last != start, let back = origin[last] { path.append(back) }
          return path.reversed()
        }
        guard origin[before] == nil else { continue }
        origin[before] = position
        waiting.append(before)
      }
    }
    return nil
  }

  /// The earliest member of the group of each, by Kosaraju's two passes.
  private func groups() -> [Int: Int] {
    var groups: [Int: Int] = [:]
    for root in endings().reversed() where groups[root] == nil {
      var members = [root]
      var next = 0
      groups[root] = root
      while next < members.count {
        for before in links.predecessors[members[next]]
        where rest.contains(before) && groups[before] == nil {
          groups[before] = root
          members.append(before)
        }
        next += 1
      }
      let earliest = members.min() ?? root
      for member in members { groups[member] = earliest }
    }
    return groups
  }

  /// The rest in the order in which a walk along the successors leaves them.
  private func endings() -> [Int] {
    var seen: Set<Int> = []
    var endings: [Int] = []
    for root in rest.sorted() where seen.insert(root).inserted {
      var stack = [(position: root, next: 0)]
      while let (position, next) = stack.last {
        guard next < links.successors[position].count else {
          endings.append(position)
          stack.removeLast()
          continue
        }
        stack[stack.count - 1].next += 1
        let successor = links.successors[position][next]
        if rest.contains(successor), seen.insert(successor).inserted {
          stack.append((successor, 0))
        }
      }
    }
    return endings
  }
}
