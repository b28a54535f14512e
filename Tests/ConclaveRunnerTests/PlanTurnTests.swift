import BusTesting
import Testing

@testable import ConclaveRunner

/// Whose turn it is.
@Suite struct PlanTurnTests {
  private func task(_ id: Int, _ dependencies: [Int] = [], files: [String] = []) -> PlanTask {
    PlanTask(
      id: id, title: "t", text: "", files: files.map { PlanFile(path: $0) },
      dependencies: dependencies, line: id * 10)
  }

  private func turn(
    _ graph: PlanGraph, done: Set<Int> = [], lost: Set<Int> = []
  ) -> PlanTurn {
    PlanTurn(graph) { lost.contains($0) ? .lost : done.contains($0) ? .done : .open }
  }

  private func words(_ turn: PlanTurn) -> [String] {
    turn.ready.map { "\($0)" } + turn.lost.map { "\($0.task) lost with \($0.cause)" }
  }

  @Test func dependenciesAndFailures() throws {
    let graph = try PlanGraph(
      Plan(tasks: [task(1), task(2), task(3, [1]), task(4, [3, 2]), task(5, [4])]))
    #expect(words(turn(graph)) == ["1", "2"])
    #expect(words(turn(graph, done: [1])) == ["2", "3"])
    #expect(words(turn(graph, done: [1, 3])) == ["2"])
    #expect(words(turn(graph, done: [1, 2, 3])) == ["4"])
    #expect(words(turn(graph, lost: [1])) == ["2", "3 lost with 1"])
    // Those that it waits for are at work.
    #expect(words(turn(graph, lost: [1, 3])) == ["2"])
    #expect(
      words(turn(graph, done: [2], lost: [1])) == [
        "3 lost with 1", "4 lost with 3", "5 lost with 4",
      ])
    #expect(words(turn(graph, done: [1, 2, 3, 4, 5])) == [])
  }

  /// Three that change the same file wait for each other in a row. When the one in the middle is
  /// lost with something else, the last must not begin beside the first.
  @Test func whoIsSkippedLetsNobodyPass() throws {
    let graph = try PlanGraph(
      Plan(tasks: [
        task(1), task(2, files: ["f"]), task(3, [1], files: ["f"]), task(4, [1], files: ["f"]),
        task(5, files: ["g"]), task(6, [5], files: ["f"]),
      ]))
    #expect(graph.predecessors(of: 6) == [4, 5])
    #expect(words(turn(graph, done: [5], lost: [1])) == ["2"])
    #expect(words(turn(graph, done: [5], lost: [1, 3, 4])) == ["2"])
    #expect(
      words(turn(graph, done: [2, 5], lost: [1])) == ["6", "3 lost with 1", "4 lost with 1"])
  }

  /// Every small plan, and every course that it can take: nobody begins beside what it waits for,
  /// who depends on something lost never begins, and all come to an end.
  @Test func everySmallPlan() throws {
    var world = Exhaustive()
    while world.next() {
      var tasks: [PlanTask] = []
      for id in 1...4 {
        let dependencies = (1..<id).filter { _ in world.choose(2) == 1 }
        tasks.append(task(id, dependencies))
      }
      let graph = try PlanGraph(Plan(tasks: tasks))
      let failing = world.choose(5)
      var states: [Int: PlanTurn.State] = [:]
      while true {
        let turn = PlanTurn(graph) { states[$0] ?? .open }
        for (id, cause) in turn.lost {
          #expect(states[cause] == .lost && graph.task(id)?.dependencies.contains(cause) == true)
          states[id] = .lost
        }
        for id in turn.ready {
          #expect(graph.task(id)?.dependencies.allSatisfy { states[$0] == .done } == true)
        }
        guard let id = turn.ready.isEmpty ? nil : world.choose(of: turn.ready) else { break }
        states[id] = id == failing ? .lost : .done
      }
      let lost = failing == 0 ? [] : Set(graph.allDependants(of: failing) + [failing])
      #expect(Set(states.filter { $0.value == .lost }.keys) == lost && states.count == 4)
    }
    #expect(world.count > 300)
  }
}
