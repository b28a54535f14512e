/// Finds tasks that change the same files, and puts them one behind the other.
struct PlanOverlapSearch {
  /// An overlap by positions in the plan.
  struct Found {
    let first: Int
    let second: Int
    let collisions: [PlanCollision]

    func named(in plan: Plan) -> PlanOverlap {
      PlanOverlap(
        first: plan.tasks[first].id, second: plan.tasks[second].id, collisions: collisions)
    }
  }

  /// The tasks that name one path, in their order.
  private struct Entry {
    let path: PlanPath
    /// Places in the order, ascending.
    var users: [Int] = []
    /// The path as each of them has written it.
    var spellings: [String] = []
  }

  private struct Pair: Hashable {
    let first: Int
    let second: Int
  }

  /// Positions, by place.
  private let order: [Int]
  private var entries: [Entry] = []
  private var collisions: [Pair: [PlanCollision]] = [:]

  /// - Parameter order: every position once, each behind all that it depends on.
  init(_ plan: Plan, _ order: [Int]) {
    self.order = order
    var indices: [String: Int] = [:]
    for (place, position) in order.enumerated() {
      for file in plan.tasks[position].files {
        let path = PlanPath(file.path)
        let index = indices[path.key] ?? entries.count
        if index == entries.count {
          indices[path.key] = index
          entries.append(Entry(path: path))
        }
        guard entries[index].users.last != place else { continue }
        entries[index].users.append(place)
        entries[index].spellings.append(file.path)
      }
    }
  }

  /// Each pair once, by position of the first and then of the second.
  func overlaps(besides links: PlanLinks) -> [Found] {
    var search = self
    search.collect()
    let known = search.order.indices.map { Set(links.successors[search.order[$0]]) }
    return search.collisions
      .filter { !known[$0.key.first].contains(order[$0.key.second]) }
      .map { pair, collisions in
        Found(
          first: order[pair.first], second: order[pair.second],
          collisions: Set(collisions).sorted { ($0.first, $0.second) < ($1.first, $1.second) })
      }
      .sorted { ($0.first, $0.second) < ($1.first, $1.second) }
  }

  private mutating func collect() {
    for entry in entries {
      for user in entry.users.indices.dropLast() {
        add((entry, user), (entry, user + 1))
      }
    }
    for (left, right) in PlanPathIndex(entries.map(\.path)).overlappingPairs() {
      let isLess = entries[left].users.count <= entries[right].users.count
      let (few, many) = isLess ? (left, right) : (right, left)
      connect(entries[few], entries[many])
    }
  }

  /// Those of one path are ordered already, so each needs only its neighbours among the others.
  private mutating func connect(_ few: Entry, _ many: Entry) {
    for (index, place) in few.users.enumerated() {
      let next = many.users.firstIndexNotLess(than: place)
      if next > 0 { add((many, next - 1), (few, index)) }
      // Who names both paths is ordered by the path of the many.
      guard next < many.users.count, many.users[next] != place else { continue }
      add((few, index), (many, next))
    }
  }

  private mutating func add(_ first: (Entry, Int), _ second: (Entry, Int)) {
    let pair = Pair(first: first.0.users[first.1], second: second.0.users[second.1])
    collisions[pair, default: []].append(
      PlanCollision(first: first.0.spellings[first.1], second: second.0.spellings[second.1]))
  }
}

extension [Int] {
  /// In an ascending array. O(log n).
  fileprivate func firstIndexNotLess(than value: Int) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = low + (high - low) / 2
      if self[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
