import CShim
import SharedRing

/// Runs `work`, which may block, on a thread that is not one of Swift's cooperative threads.
///
/// Threads are kept for a while and reused; there are as many as there is blocked work at once.
func runBlocking<R: Sendable>(_ work: @escaping @Sendable () -> R) async -> R {
  await withCheckedContinuation { continuation in
    BlockingThreads.shared.run { continuation.resume(returning: work()) }
  }
}

/// Threads for work that blocks. Each waits for work on an event; one that had none for some
/// seconds ends.
package final class BlockingThreads: Sendable {
  package static let shared = BlockingThreads()

  private struct State {
    var jobs: [@Sendable () -> Void] = []
    var idle = 0
  }

  private static let idleSeconds = 5
  private let state = Lock(State())
  private let event = Event()

  package func run(_ job: @escaping @Sendable () -> Void) {
    let needsThread = state.withLock { state in
      state.jobs.append(job)
      return state.jobs.count > state.idle
    }
    if needsThread { startThread() }
    event.signal()
  }

  private func startThread() {
    let started = conclave_thread_start { BlockingThreads.shared.work() }
    precondition(started == 0, "the system refuses to start a thread (errno \(started))")
  }

  private func work() {
    while let job = nextJob() { job() }
  }

  private func nextJob() -> (@Sendable () -> Void)? {
    let deadline = ContinuousClock.now.advanced(by: .seconds(BlockingThreads.idleSeconds))
    state.withLock { $0.idle += 1 }
    while true {
      let ticket = event.prepareToWait()
      let job = state.withLock { state -> (@Sendable () -> Void)? in
        guard !state.jobs.isEmpty else { return nil }
        state.idle -= 1
        return state.jobs.removeFirst()
      }
      if let job { return job }
      let timedOut = !event.wait(ticket, until: deadline)
      if timedOut,
        state.withLock({ state in
          guard state.jobs.isEmpty else { return false }
          state.idle -= 1
          return true
        })
      {
        return nil
      }
    }
  }
}
