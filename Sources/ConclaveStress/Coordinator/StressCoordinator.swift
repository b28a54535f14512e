import CShim
package import ConclaveBus
import Glibc

/// Why a stress run has no result.
package enum StressFailure: Error {
  case bus(BusError)
  /// A signal arrived at the descriptor that the caller watches.
  case interrupted
}

/// Starts the workers, releases them together, gathers what they report, and sees to it that none
/// outlives the run.
final class StressCoordinator {
  /// How long nothing at all may move.
  private static let patienceNanoseconds: UInt64 = 120_000_000_000

  private let plan: StressPlan
  private let crew: Crew
  private let interruption: Int32?
  private let onProgress: (StressProgress) -> Void
  private var state: StressState
  private var workers: [WorkerHandle] = []
  private var start: UInt64 = 0
  private var lastMove: UInt64 = 0
  private var lastMoves = 0

  init(
    _ plan: StressPlan, _ crew: Crew, interruption: Int32?,
    onProgress: @escaping (StressProgress) -> Void
  ) {
    self.plan = plan
    self.crew = crew
    self.interruption = interruption
    self.onProgress = onProgress
    state = StressState(plan)
  }

  func run() throws(StressFailure) -> StressResult {
    let cpuBefore = ownSeconds()
    do throws(StressFailure) {
      lastMove = conclave_monotonic_ns()
      try startAll()
      while !state.unfinished.isEmpty { try step() }
      try reapAll()
    } catch {
      abandonAll()
      throw error
    }
    let cpu =
      crew.bus == nil
      ? workers.reduce(0) { $0 + $1.cpuSeconds } : ownSeconds() - cpuBefore
    return StressResult(plan, state, start: start, cpuSeconds: cpu)
  }

  private func startAll() throws(StressFailure) {
    for role in StressState.roles(plan) {
      do throws(BusError) {
        workers.append(try crew.start(StressWorker(plan: plan, role: role)))
      } catch { throw .bus(error) }
      // Before any publisher can become it.
      if role == .mirror { while !state.isReady(role) { try step() } }
    }
  }

  /// Waits for reports, and takes them in.
  private func step() throws(StressFailure) {
    let waiting = workers.filter { !state.isDone($0.role) }
    var watched = waiting.map { pollfd(fd: $0.reports, events: Int16(POLLIN), revents: 0) }
    if let interruption {
      watched.append(pollfd(fd: interruption, events: Int16(POLLIN), revents: 0))
    }
    let count = unsafe poll(&watched, nfds_t(watched.count), 500)
    guard count >= 0 || errno == EINTR else { throw .bus(systemError("cannot poll", errno)) }
    if count > 0 {
      if interruption != nil, watched.last?.revents != 0 { throw .interrupted }
      for (worker, entry) in zip(waiting, watched) where entry.revents != 0 { try hear(worker) }
    }
    try checkForMoves()
    onProgress(StressProgress(plan, accounted: state.progress, start: start))
  }

  private func hear(_ worker: WorkerHandle) throws(StressFailure) {
    do throws(BusError) {
      guard let reports = try worker.read() else {
        let end = worker.reap() ?? "ended"
        if state.canLose(worker.role) { return perform(state.lose(worker.role)) }
        throw BusError(
          .system, "\(worker.role.name) \(end) before it was done", hint: "see what it said above")
      }
      for report in reports { perform(try state.receive(report, from: worker.role)) }
    } catch { throw .bus(error) }
  }

  private func perform(_ actions: [StressState.Action]) {
    for action in actions {
      switch action {
      case .start:
        start = conclave_monotonic_ns()
        for worker in workers { worker.order("go \(start)") }
      case .announceEnd:
        for worker in workers where !worker.role.isPublisher { worker.order("ended") }
      case .finish: break
      }
    }
  }

  private func checkForMoves() throws(StressFailure) {
    let now = conclave_monotonic_ns()
    if state.moves != lastMoves {
      lastMoves = state.moves
      lastMove = now
    }
    guard now - lastMove > StressCoordinator.patienceNanoseconds else { return }
    let stuck = state.unfinished
    let name = stuck.count == 1 ? stuck[0].name : "\(stuck.count) workers"
    throw .bus(
      BusError(
        .backPressureTimedOut, "nothing moved for 120 s; \(name) did not finish",
        hint: "look for stopped processes, or use a higher rate"))
  }

  private func reapAll() throws(StressFailure) {
    for worker in workers { worker.dismiss() }
    for worker in workers {
      guard let end = worker.reap() else { continue }
      throw .bus(BusError(.system, "\(worker.role.name) \(end) after it was done"))
    }
  }

  /// Leaves nobody behind.
  private func abandonAll() {
    crew.bus?.close()
    for worker in workers { worker.kill() }
    for worker in workers { worker.reap() }
  }

  private func ownSeconds() -> Double {
    var usage = rusage()
    unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }
}
