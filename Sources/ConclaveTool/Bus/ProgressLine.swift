import ConclaveStress
import Glibc

/// One line on the terminal that is written over and over; nothing where nobody watches.
final class ProgressLine {
  private let isShown: Bool
  private let transport: String
  private let output = Output(descriptor: STDERR_FILENO)
  private var hasText = false

  init(_ console: Console, _ plan: StressPlan, isQuiet: Bool) {
    isShown = !isQuiet && console.notes.isWatched
    transport = plan.transport.rawValue
  }

  func show(_ progress: StressProgress) {
    guard isShown else { return }
    let share = 100 * Double(progress.accounted) / Double(max(1, progress.total))
    write(
      "\r\(transport): \(progress.accounted) of \(progress.total) messages "
        + "(\(decimal(share, digits: 0)) %), \(decimal(progress.secondsSinceStart, digits: 1)) s")
    hasText = true
  }

  /// Leaves an empty line behind.
  func clear() {
    // "Erase to the end of the line", which every terminal understands that has a carriage return.
    if hasText { write("\r\u{1B}[K") }
    hasText = false
  }

  private func write(_ text: String) {
    // Progress is decoration: when it cannot be shown, the run goes on.
    try? output.write(text)
    try? output.flush()
  }
}
