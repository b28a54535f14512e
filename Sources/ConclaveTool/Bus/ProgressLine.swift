import ConclaveBus
import ConclaveStress

/// How far a stress run is, for people who watch.
final class ProgressLine {
  private let transport: String
  private var line: StatusLine

  init(_ console: Console, _ plan: StressPlan, isQuiet: Bool) {
    line = StatusLine(isShown: !isQuiet && console.notes.isWatched)
    transport = plan.transport.rawValue
  }

  func show(_ progress: StressProgress) {
    let share = 100 * Double(progress.accounted) / Double(max(1, progress.total))
    line.show(
      "\(transport): \(progress.accounted) of \(progress.total) messages "
        + "(\(decimal(share, digits: 0)) %), \(decimal(progress.secondsSinceStart, digits: 1)) s")
  }

  func clear() { line.clear() }
}
