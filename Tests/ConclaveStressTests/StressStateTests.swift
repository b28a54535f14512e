import ConclaveBus
import Testing

@testable import ConclaveStress

@Suite struct StressStateTests {
  private static let plan = {
    var plan = StressPlan()
    plan.publishers = 2
    plan.subscribers = 1
    plan.messages = 10
    return plan
  }()

  private static let published = WorkerReport.published(
    PublisherResult(published: 5, longestStallNanoseconds: 1, finished: 2))

  @Test func wholeRun() throws {
    var state = StressState(Self.plan)
    #expect(try state.receive(.ready, from: .publisher(0)) == [])
    #expect(try state.receive(.ready, from: .subscriber(0)) == [])
    #expect(try state.receive(.ready, from: .publisher(1)) == [.start])
    #expect(try state.receive(.progress(4), from: .subscriber(0)) == [])
    #expect(state.progress == 4)
    #expect(try state.receive(Self.published, from: .publisher(1)) == [])
    #expect(try state.receive(Self.published, from: .publisher(0)) == [.announceEnd])
    #expect(state.unfinished == [.subscriber(0)])
    let received = WorkerReport.received(SubscriberResult(delivered: 10))
    #expect(try state.receive(received, from: .subscriber(0)) == [.finish])
    #expect(state.unfinished.isEmpty)
  }

  private static let mirroredPlan = {
    var plan = StressStateTests.plan
    plan.mirror = .mirrored
    return plan
  }()

  @Test func wholeRunWithAMirror() throws {
    var state = StressState(Self.mirroredPlan)
    #expect(StressState.roles(Self.mirroredPlan).first == .mirror)
    #expect(!state.isReady(.mirror))
    for role in [WorkerRole.mirror, .subscriber(0), .publisher(0)] {
      #expect(try state.receive(.ready, from: role) == [])
    }
    #expect(state.isReady(.mirror))
    #expect(try state.receive(.ready, from: .publisher(1)) == [.start])
    _ = try state.receive(.progress(9), from: .mirror)
    #expect(state.progress == 0)
    _ = try state.receive(Self.published, from: .publisher(1))
    #expect(try state.receive(Self.published, from: .publisher(0)) == [.announceEnd])
    let received = WorkerReport.received(SubscriberResult(delivered: 10))
    #expect(try state.receive(received, from: .subscriber(0)) == [])
    let mirrored = MirrorResult(lag: 3, finished: 17)
    #expect(try state.receive(.mirrored(mirrored), from: .mirror) == [.finish])
    #expect(state.mirrored == mirrored)
  }

  /// Once it works: who dies before that never mirrored.
  @Test func theMirrorMayDie() throws {
    var state = StressState(Self.mirroredPlan)
    #expect(!state.canLose(.mirror))
    for role in StressState.roles(Self.mirroredPlan) { _ = try state.receive(.ready, from: role) }
    #expect(state.canLose(.mirror) && !state.canLose(.publisher(0)))
    #expect(state.lose(.mirror) == [])
    #expect(state.isDone(.mirror) && !state.unfinished.isEmpty)
  }

  @Test func outOfTurn() throws {
    var state = StressState(Self.plan)
    #expect(throws: BusError.self) { try state.receive(Self.published, from: .publisher(0)) }
    #expect(throws: BusError.self) { try state.receive(.progress(1), from: .subscriber(0)) }
    _ = try state.receive(.ready, from: .publisher(0))
    #expect(throws: BusError.self) { try state.receive(.ready, from: .publisher(0)) }
  }

  @Test func failuresNameTheWorker() {
    var state = StressState(Self.plan)
    let error = #expect(throws: BusError.self) {
      try state.receive(
        .failed(BusError(.noSpace, "no room", hint: "make some")), from: .publisher(1))
    }
    #expect(error == BusError(.noSpace, "publisher 1: no room", hint: "make some"))
  }

  /// A repeated count is no move: a run that only repeats itself is stuck.
  @Test func moves() throws {
    var state = StressState(Self.plan)
    for role in StressState.roles(Self.plan) { _ = try state.receive(.ready, from: role) }
    let before = state.moves
    _ = try state.receive(.progress(0), from: .subscriber(0))
    #expect(state.moves == before)
    _ = try state.receive(.progress(1), from: .subscriber(0))
    #expect(state.moves == before + 1)
  }

  @Test func progressWithoutSubscribers() throws {
    var plan = Self.plan
    plan.subscribers = 0
    var state = StressState(plan)
    #expect(try state.receive(.ready, from: .publisher(0)) == [])
    #expect(try state.receive(.ready, from: .publisher(1)) == [.start])
    _ = try state.receive(.progress(2), from: .publisher(0))
    #expect(state.progress == 2)
    #expect(try state.receive(Self.published, from: .publisher(1)) == [])
    #expect(state.progress == 7)
    #expect(try state.receive(Self.published, from: .publisher(0)) == [.announceEnd, .finish])
  }

  @Test func reportsAsLines() throws {
    var latency = LatencyHistogram()
    latency.record(1234)
    let reports: [WorkerReport] = [
      .ready, .progress(17), Self.published,
      .published(
        PublisherResult(
          published: 1, longestStallNanoseconds: 2, finished: 3, backPressureWaits: 4)),
      .received(
        SubscriberResult(
          delivered: 1, gapsReported: 2, gapMismatches: 3, duplicates: 4, outOfOrder: 5,
          corrupt: 6, finished: 7)),
      .mirrored(MirrorResult(lag: 5, finished: 6)),
      .received(SubscriberResult(delivered: 1, latency: latency)),
      .failed(BusError(.busy, "what: it is", hint: "do this")), .failed(BusError(.corrupt, "")),
    ]
    for report in reports {
      #expect(!report.line.contains("\n"))
      #expect(WorkerReport(line: report.line) == report)
    }
    for line in ["", "at", "at x", "published 1 2", "received 1", "mirrored 1", "what"] {
      #expect(WorkerReport(line: line) == nil)
    }
  }

  @Test func workersAsArguments() throws {
    var plan = StressPlan()
    plan.transport = .file
    plan.policy = .dropping
    plan.mirror = .synced
    plan.rate = 1000
    plan.batch = 7
    for role in [WorkerRole.publisher(49), .subscriber(3), .mirror] {
      let worker = StressWorker(plan: plan, role: role)
      let words = worker.arguments(directory: "/a dir")
      #expect(words.count == StressWorker.argumentCount)
      let parsed = try #require(StressWorker.parse(words))
      #expect(parsed.worker.plan == plan && parsed.worker.role == role)
      #expect(parsed.directory == "/a dir")
    }
    let wrong = StressWorker(plan: plan, role: .publisher(50)).arguments(directory: "/")
    #expect(StressWorker.parse(wrong) == nil)
    #expect(StressWorker.parse(Array(wrong.dropLast())) == nil)
    plan.mirror = .none
    let nothing = StressWorker(plan: plan, role: .mirror).arguments(directory: "/")
    #expect(StressWorker.parse(nothing) == nil)
  }

  @Test func schedulesTakeTurns() {
    func due(_ publisher: UInt64, _ number: UInt64) -> UInt64 {
      Schedule(start: 1000, rate: 4_000_000, publishers: 4, publisher: publisher).due(number)
    }
    #expect((0..<4).map { due($0, 1) } == [1000, 1250, 1500, 1750])
    #expect(due(0, 2) == 2000)
    #expect(due(3, 4_000_000_000) == 1000 + 4_000_000_000 * 1000 - 250)
  }
}
