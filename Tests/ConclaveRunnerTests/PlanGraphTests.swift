import BusTesting
import Testing

@testable import ConclaveRunner

/// What waits for what.
@Suite struct PlanGraphTests {
  private func task(_ id: Int, _ dependencies: [Int] = [], files: [String] = []) -> PlanTask {
    PlanTask(
      id: id, title: "t", text: "", files: files.map { PlanFile(path: $0) },
      dependencies: dependencies, line: id * 10)
  }

  private func graph(_ tasks: PlanTask...) throws -> PlanGraph {
    try PlanGraph(Plan(tasks: tasks))
  }

  private func issues(_ tasks: PlanTask...) -> [String] {
    do {
      _ = try PlanGraph(Plan(tasks: tasks))
      return []
    } catch { return error.issues.map(\.description) }
  }

  @Test func wavesAndNeighbours() throws {
    let graph = try graph(
      task(5, [2, 3]), task(1), task(2, [1]), task(3, [1]), task(9), task(4, [5, 1]))
    #expect(graph.waves == [[1, 9], [2, 3], [5], [4]] && graph.overlaps.isEmpty)
    #expect(graph.criticalPath == [1, 2, 5, 4])
    #expect(graph.predecessors(of: 5) == [2, 3] && graph.successors(of: 1) == [2, 3, 4])
    #expect(graph.dependants(of: 1) == [2, 3, 4] && graph.allDependants(of: 1) == [5, 2, 3, 4])
    #expect(graph.task(3)?.id == 3 && graph.task(7) == nil && graph.allDependants(of: 7) == [])
  }

  /// The original added overlaps after it had looked for cycles, and never came back.
  @Test func anOverlapAgainstADependency() throws {
    let graph = try graph(task(1, [2], files: ["a"]), task(2, files: ["a"]))
    #expect(graph.waves == [[2], [1]] && graph.overlaps.isEmpty)
    let long = try self.graph(
      task(1, [3], files: ["a"]), task(2, files: ["a"]), task(3, files: ["a"]))
    #expect(long.waves == [[2], [3], [1]])
    #expect(long.overlaps.map { [$0.first, $0.second] } == [[2, 3]])
  }

  @Test func overlapsGoInPlanOrder() throws {
    let graph = try graph(
      task(3, files: ["src/a.c", "x"]), task(1, files: ["src", "y"]), task(2, files: ["SRC/A.c"]))
    #expect(graph.waves == [[3], [1], [2]])
    let words = graph.overlaps.map { "\($0.first) \($0.second) \($0.collisions)" }
    #expect(
      words == [
        "3 1 [src/a.c lies in src]", "3 2 [src/a.c and SRC/A.c differ in case only]",
        "1 2 [SRC/A.c lies in src]",
      ])
    #expect(graph.dependants(of: 3) == [] && graph.successors(of: 3).contains(1))
  }

  @Test(arguments: [
    ("a", "a", "both change a"), ("src/", "src/a", "src/a lies in src"),
    ("src/a", "src", "src/a lies in src"), ("A", "a", "A and a differ in case only"),
    ("*.c", "a.c", "*.c and a.c may be the same files"),
    ("*.c", "*.c", "both change files like *.c"),
  ])
  func reasons(_ first: String, _ second: String, _ words: String) throws {
    let plan = try Plan("## Task 1: a\nFiles: \(first)\n## Task 2: b\nFiles: \(second)\n")
    let graph = try PlanGraph(plan, assumesIndependent: true)
    #expect(graph.overlaps.map { $0.collisions.map(\.description) } == [[words]])
  }

  @Test func whatIsWrong() {
    #expect(
      issues() == [
        "line 1: the plan has no tasks; begin the section of each with a heading "
          + "such as ## Task 1: Title"
      ])
    #expect(
      issues(task(1), task(2), task(1)).first?.hasPrefix("line 10: task 1 is in line 10") == true)
    #expect(issues(task(1, [1])).first?.contains("task 1 depends on itself") == true)
    #expect(issues(task(1, [7])).first?.contains("task 7, which the plan does not have") == true)
    var silent = task(1)
    silent.saysDependencies = false
    #expect(issues(silent).first?.contains("does not say on which tasks it depends") == true)
    #expect(throws: Never.self) {
      try PlanGraph(Plan(tasks: [silent]), assumesIndependent: true)
    }
  }

  @Test func circles() {
    #expect(
      issues(task(1, [2]), task(2, [3]), task(3, [1]), task(4, [1])) == [
        "line 10: tasks wait for each other in a circle: 1 waits for 2 waits for 3 waits for 1; "
          + "leave one of these dependencies out"
      ])
    // Somebody in front of a circle is no part of it.
    let behind = issues(task(1), task(2, [1, 3]), task(3, [2, 1]))
    #expect(behind.count == 1 && behind[0].contains("2 waits for 3 waits for 2;"))
    // One for each group, and the others' mistakes as well.
    let all = issues(
      task(1, [2]), task(2, [1]), task(3, [2, 4]), task(4, [5]), task(5, [4]), task(6, [6, 8]))
    #expect(all.count == 4 && all[0].contains("1 waits for 2 waits for 1"))
    #expect(all[1].contains("4 waits for 5 waits for 4"))
    #expect(all[2].contains("task 6 depends on itself") && all[3].contains("task 8"))
  }

  @Test func tenThousandTasks() throws {
    let count = 10_000
    let chain = Plan(tasks: (0..<count).map { task($0, $0 == 0 ? [] : [$0 - 1]) })
    let graph = try PlanGraph(chain)
    #expect(graph.waves.count == count && graph.criticalPath == Array(0..<count))
    #expect(graph.allDependants(of: 0).count == count - 1)
    // Everybody changes the same file, and one that is their own below it.
    let crowd = Plan(
      tasks: (0..<count).map { task($0, files: ["README.md", "src/\($0).c", "docs/**"]) })
    #expect(try PlanGraph(crowd).waves.count == count)
    let ring = Plan(tasks: (0..<count).map { task($0, [($0 + 1) % count]) })
    let error = #expect(throws: PlanError.self) { try PlanGraph(ring) }
    #expect(error?.issues.count == 1 && (error?.description.count ?? 0) < 1000)
    let text = (0..<count).map { "## Task \($0): t\nDependencies: None\nFiles: `f\($0)`\n\n" }
    #expect(try PlanGraph(reading: Array(text.joined().utf8)).waves == [Array(0..<count)])
  }

  /// Random plans against the plainest model.
  @Test(arguments: 0..<300) func randomPlans(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let count = 1 + random.below(12)
    let ids = (0..<count).map { $0 * 3 }.shuffled(using: &random)
    let paths = ["a", "A", "b/c", "b", "b/*", "d.c", "*.c", "e", "f", "**/c"]
    let mayCircle = random.below(4) == 0
    let tasks = ids.indices.map { position in
      let others = ids.indices.filter { mayCircle ? $0 != position : $0 < position }
      let some = others.filter { _ in random.below(4) == 0 }.map { ids[$0] }
      let files = (0..<random.below(3)).map { _ in random.pick(paths) }
      return task(ids[position], some, files: files)
    }
    let plan = Plan(tasks: tasks.shuffled(using: &random))
    let model = PlanModel(plan)
    guard !model.hasCircle else {
      let error = #expect(throws: PlanError.self) { try PlanGraph(plan) }
      #expect(error?.issues.map(\.code) == model.circles.map { _ in .cycle })
      return
    }
    model.check(try PlanGraph(plan))
  }
}

/// A plan's order, worked out by trying everything.
private struct PlanModel {
  let plan: Plan
  private let reach: [Int: Set<Int>]

  init(_ plan: Plan) {
    self.plan = plan
    reach = PlanModel.closure(
      Dictionary(uniqueKeysWithValues: plan.tasks.map { ($0.id, Set($0.dependencies)) }))
  }

  var hasCircle: Bool { !circles.isEmpty }

  /// The sets of those that all wait for each other.
  var circles: Set<Set<Int>> {
    let inside = reach.keys.filter { reach[$0]?.contains($0) == true }
    return Set(
      inside.map { id in
        Set(inside.filter { reach[id]?.contains($0) == true && reach[$0]?.contains(id) == true })
      })
  }

  /// Whom each one waits for, over any number of steps.
  private static func closure(_ direct: [Int: Set<Int>]) -> [Int: Set<Int>] {
    var reach = direct
    for _ in direct {
      for (id, before) in reach {
        reach[id] = before.reduce(into: before) { $0.formUnion(reach[$1] ?? []) }
      }
    }
    return reach
  }

  func check(_ graph: PlanGraph) {
    let before = Dictionary(
      uniqueKeysWithValues: plan.tasks.map { ($0.id, Set(graph.predecessors(of: $0.id))) })
    let reach = PlanModel.closure(before)
    var waves: [Int: Int] = [:]
    for (wave, ids) in graph.waves.enumerated() { for id in ids { waves[id] = wave } }
    #expect(waves.count == plan.tasks.count)
    for task in plan.tasks {
      #expect(!(reach[task.id]?.contains(task.id) ?? true))
      #expect(before[task.id]?.isSuperset(of: task.dependencies) == true)
      let depth = (before[task.id] ?? []).map { (waves[$0] ?? 0) + 1 }.max() ?? 0
      #expect(waves[task.id] == depth)
      #expect(
        Set(graph.successors(of: task.id)) == Set(before.filter { $0.value.contains(task.id) }.keys)
      )
      let dependants = self.reach.filter { $0.value.contains(task.id) }.keys
      #expect(Set(graph.allDependants(of: task.id)) == Set(dependants))
    }
    for (position, left) in plan.tasks.enumerated() {
      for right in plan.tasks[(position + 1)...] { check(left, right, reach) }
    }
    checkOverlaps(graph)
    #expect(graph.criticalPath.count == graph.waves.count)
    for (first, second) in zip(graph.criticalPath, graph.criticalPath.dropFirst()) {
      #expect(before[second]?.contains(first) == true)
    }
  }

  /// Who may collide is never in the same wave, whatever the order.
  private func check(_ left: PlanTask, _ right: PlanTask, _ reach: [Int: Set<Int>]) {
    guard collide(left, right) else { return }
    let isOrdered =
      reach[left.id]?.contains(right.id) == true || reach[right.id]?.contains(left.id) == true
    #expect(isOrdered, "\(left.id) and \(right.id)")
  }

  private func checkOverlaps(_ graph: PlanGraph) {
    for overlap in graph.overlaps {
      let tasks = [overlap.first, overlap.second].compactMap { graph.task($0) }
      #expect(tasks.count == 2 && collide(tasks[0], tasks[1]) && !overlap.collisions.isEmpty)
      #expect(!tasks[1].dependencies.contains(tasks[0].id))
      for collision in overlap.collisions {
        #expect(tasks[0].files.contains { $0.path == collision.first })
        #expect(tasks[1].files.contains { $0.path == collision.second })
      }
    }
  }

  private func collide(_ left: PlanTask, _ right: PlanTask) -> Bool {
    left.files.contains { mine in
      right.files.contains { PlanPath(mine.path).mayOverlap(PlanPath($0.path)) }
    }
  }
}
