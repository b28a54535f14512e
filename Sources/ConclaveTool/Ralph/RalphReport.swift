import ConclaveBus
import ConclaveRunner
import SharedRing

/// What people see of a loop: on a terminal a line that changes, otherwise a line for each gate.
final class RalphReport {
  private let notes: Notes
  private let isQuiet: Bool
  private var line: StatusLine
  private let clock = ContinuousClock()
  private var iteration = 0
  /// A program that prints much wakes us often.
  private var shownSeconds = 0
  private var gateStart: ContinuousClock.Instant

  init(_ console: Console, isQuiet: Bool) {
    notes = console.notes
    self.isQuiet = isQuiet || console.json
    line = StatusLine(isShown: console.notes.isWatched && !isQuiet && !console.json)
    gateStart = clock.now
  }

  func show(_ event: LoopEvent) {
    switch event {
    case .began(let task, let iteration, let limit, let resumed):
      if resumed { say("ralph-run: \(task) goes on with iteration \(iteration) of \(limit)") }
    case .iteration(let number, let limit): say("ralph-run: iteration \(number) of \(limit)")
    case .gateBegan(let gate, let iteration):
      gateStart = clock.now
      self.iteration = iteration
      line.show("  \(gate.rawValue)... (iteration \(iteration))")
    case .gateGoesOn(let gate, let elapsed):
      let whole = Int(elapsed / .seconds(1))
      guard whole != shownSeconds else { return }
      shownSeconds = whole
      line.show("  \(gate.rawValue)... \(whole) s (iteration \(iteration))")
    case .gateIsLong(let gate, let elapsed, let limit):
      say("  \(gate.rawValue): \(seconds(elapsed)) of \(seconds(limit)) are over")
    case .gateEnded(let gate, let words, let reason):
      say(
        "  \(gate.rawValue): \(words) in \(seconds(gateStart.duration(to: clock.now))): \(reason)")
    case .note(let text): say("  \(text)")
    }
  }

  func clear() { line.clear() }

  private func say(_ text: String) {
    line.clear()
    if !isQuiet { notes.say(text) }
  }

  private func seconds(_ duration: Duration) -> String {
    "\(decimal(duration / .seconds(1), digits: 1)) s"
  }
}
