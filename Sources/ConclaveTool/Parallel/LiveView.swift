import ConclaveBus
import ConclaveRunner
import Glibc
import SharedRing

/// Shows a run on a terminal: a line a task, drawn over and over, and above them what happens that
/// is worth a line. Safe from any thread.
final class LiveView: Sendable {
  private struct State {
    var run = LiveState()
    var isEnded = false
  }

  private let screen: LiveScreen
  private let notes: Notes
  private let state = Lock(State())
  private let change = Event()
  private let clock = SuspendingClock()
  private let start: SuspendingClock.Instant

  /// - Returns: nil where nobody watches.
  init?(_ notes: Notes) {
    guard let screen = LiveScreen.begin() else { return nil }
    self.screen = screen
    self.notes = notes
    start = clock.now
    BlockingThreads.shared.run { self.work() }
  }

  func show(_ event: FleetEvent) {
    if LiveView.isWorthALine(event), let text = FleetReport.text(event) {
      notes.say(printable(text))
    }
    let now = start.duration(to: clock.now)
    state.withLock { $0.run.take(event, at: now) }
    change.signal()
  }

  /// Removes the lines of the tasks. What is said afterwards stands where they were.
  func end() {
    state.withLock { $0.isEnded = true }
    change.signal()
    screen.end()
  }

  /// What the lines of the tasks do not show, or not for long.
  private static func isWorthALine(_ event: FleetEvent) -> Bool {
    switch event {
    case .taskStarted, .taskGate, .finding, .gateBegan, .waveEnded: false
    case .began, .waveBegan, .taskEnded, .merged, .conflict, .skipped, .gateEnded, .note: true
    }
  }

  /// Draws when something has happened, though not more than ten times a second, and every second,
  /// since times go on.
  private func work() {
    while true {
      let ticket = change.prepareToWait()
      let isEnded = state.withLock { state in
        if !state.isEnded { draw(state.run) }
        return state.isEnded
      }
      guard !isEnded else { return }
      change.wait(ticket, until: ContinuousClock.now.advanced(by: .seconds(1)))
      usleep(100_000)
    }
  }

  private func draw(_ run: LiveState) {
    let size = LiveScreen.size()
    let lines = LiveLines(
      columns: size.columns, rows: size.rows, hasColor: LiveScreen.hasColor)
    screen.show(lines.lines(of: run, at: start.duration(to: clock.now)))
  }
}
