import BusTesting
import Testing

/// Many loops share a board, as real processes: nothing that is said is lost, nothing comes twice,
/// and every agent is given exactly what the rules say.
@Suite(.heavy, .blocking) struct BoardFleetTests {
  @Test func fiftyLoopsShareABoard() async throws {
    try await withHangGuard {
      try await onThread {
        try withDirectory { directory in
          let fleet = BoardFleet(home: directory, tasks: Array(1...50))
          try fleet.run()
          let judge = try BoardJudge(fleet)
          #expect(judge.log.count { $0.logged.sender.hasPrefix("task-") } == 50 * (20 + 1))
          try judge.judgeLog()
          // A rule that has nothing to do is not tested.
          let unused = try BoardJudge.rules.subtracting(judge.judgeContexts())
          #expect(unused.isEmpty)
        }
      }
    }
  }
}
