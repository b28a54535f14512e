import ConclaveBus
import SharedRing

/// Tasks that are worked on at the same time, each on a thread of its own. Used by one thread.
final class TaskCrew {
  private final class Ended: Sendable {
    let results = Lock([TaskResult]())
    let event = Event()
  }

  private let over = Ended()
  /// How many have not been taken.
  private(set) var count = 0

  func start(_ run: TaskRun) {
    count += 1
    let over = over
    BlockingThreads.shared.run {
      // The thread lasts as long as the loop: the loop's end is tied to it.
      let result = run.run()
      over.results.withLock { $0.append(result) }
      over.event.signal()
    }
  }

  /// All that have ended since the last time, in that order; blocks until there is one. Empty when
  /// nobody is at work.
  func ended() -> [TaskResult] {
    guard count > 0 else { return [] }
    while true {
      let ticket = over.event.prepareToWait()
      let results = over.results.withLock { results in
        defer { results = [] }
        return results
      }
      count -= results.count
      if !results.isEmpty { return results }
      over.event.wait(ticket, until: nil)
    }
  }
}
