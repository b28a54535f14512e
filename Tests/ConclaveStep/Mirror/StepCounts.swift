import ConclaveBus
import SharedRing

/// How far a thread is that publishes.
final class StepCounts: Sendable {
  struct Now {
    var begun = 0
    var acknowledged = 0
    var hasEnded = false
  }

  private let state = Lock(Now())
  private let changed = Event()

  var now: Now { state.withLock { $0 } }

  func begin(_ number: Int) { state.withLock { $0.begun = number } }
  func acknowledge(_ number: Int) { state.withLock { $0.acknowledged = number } }

  func end() {
    state.withLock { $0.hasEnded = true }
    changed.signal()
  }

  func awaitEnd() {
    while true {
      let ticket = changed.prepareToWait()
      if now.hasEnded { return }
      changed.wait(ticket, until: nil)
    }
  }
}
