/// The order in which a plan's tasks can be done: what they depend on, what they would collide in,
/// and the waves that follow from both. Immutable.
public struct PlanGraph: Sendable {
  public let plan: Plan
  /// What can be done at the same time: each wave's tasks, in plan order, need only tasks of the
  /// waves before. A task's wave is the length of the longest way to it.
  public let waves: [[Int]]
  /// The order that no dependency asks for, between tasks that change the same files. Together with
  /// the dependencies it never makes a cycle.
  public let overlaps: [PlanOverlap]
  /// A longest chain of tasks of which each waits for the one before.
  public let criticalPath: [Int]

  private let positions: [Int: Int]
  private let links: PlanLinks

  /// Orders a plan.
  ///
  /// - Parameter assumesIndependent: takes a task that does not say on what it depends for one that
  ///   depends on nothing.
  /// - Complexity: O(n log n) for n tasks, dependencies and files, besides the pairs of patterns
  ///   that may match the same files.
  /// - Throws: everything that makes it impossible.
  public init(_ plan: Plan, assumesIndependent: Bool = false) throws(PlanError) {
    let issues = PlanValidation.issues(plan, assumesIndependent: assumesIndependent)
    guard issues.isEmpty else { throw PlanError(issues) }
    self.init(valid: plan)
  }

  /// Reads and orders a plan.
  ///
  /// - Throws: everything that is wrong, in the text and with the order.
  public init(reading bytes: [UInt8], assumesIndependent: Bool = false) throws(PlanError) {
    let reading = PlanParser.read(bytes)
    let issues =
      reading.issues
      + PlanValidation.issues(reading.plan, assumesIndependent: assumesIndependent)
    guard issues.isEmpty else { throw PlanError(issues) }
    self.init(valid: reading.plan)
  }

  private init(valid plan: Plan) {
    self.plan = plan
    let positions = plan.positions
    self.positions = positions
    var links = PlanLinks(plan, positions)
    // A topological order that prefers what can begin early, and then plan order. Whatever is
    // ordered along it makes no cycle.
    let depths = links.depths(along: links.topologicalOrder())
    let order = plan.tasks.indices.sorted { (depths[$0], $0) < (depths[$1], $1) }
    let found = PlanOverlapSearch(plan, order).overlaps(besides: links)
    for overlap in found { links.add(overlap) }
    overlaps = found.map { $0.named(in: plan) }
    let all = links.depths(along: order)
    waves = PlanGraph.waves(plan, all)
    criticalPath = links.longestPath(all).map { plan.tasks[$0].id }
    self.links = links
  }

  private static func waves(_ plan: Plan, _ depths: [Int]) -> [[Int]] {
    var waves = [[Int]](repeating: [], count: (depths.max() ?? -1) + 1)
    for (position, depth) in depths.enumerated() { waves[depth].append(plan.tasks[position].id) }
    return waves
  }
}

extension PlanGraph {
  /// The task with that number, or nil. O(1).
  public func task(_ id: Int) -> PlanTask? { positions[id].map { plan.tasks[$0] } }

  /// The tasks that say that they depend on this one, in plan order: without its work they make no
  /// sense.
  public func dependants(of id: Int) -> [Int] { ids(id) { links.dependants[$0] } }

  /// ``dependants(of:)``, theirs, and so on; each once, in plan order.
  public func allDependants(of id: Int) -> [Int] {
    guard let start = positions[id] else { return [] }
    var seen: Set<Int> = [start]
    var waiting = [start]
    while let position = waiting.popLast() {
      for next in links.dependants[position] where seen.insert(next).inserted {
        waiting.append(next)
      }
    }
    return seen.subtracting([start]).sorted().map { plan.tasks[$0].id }
  }

  /// The tasks that must have ended before this one begins, in plan order: those it depends on, and
  /// those that change the same files before it. Of the latter only the nearest ones: they have
  /// waited for the others.
  public func predecessors(of id: Int) -> [Int] { ids(id) { links.predecessors[$0] } }

  /// The tasks that wait for this one: the reverse of ``predecessors(of:)``.
  public func successors(of id: Int) -> [Int] { ids(id) { links.successors[$0] } }

  private func ids(_ id: Int, _ neighbours: (Int) -> [Int]) -> [Int] {
    guard let position = positions[id] else { return [] }
    return neighbours(position).sorted().map { plan.tasks[$0].id }
  }
}

extension Plan {
  /// Where each number is first.
  var positions: [Int: Int] {
    Dictionary(zip(tasks.lazy.map(\.id), tasks.indices), uniquingKeysWith: { first, _ in first })
  }
}
