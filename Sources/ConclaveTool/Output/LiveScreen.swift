import Glibc
import SharedRing

/// Lines at the end of a terminal that are drawn over and over, with the cursor below them; what is
/// said meanwhile goes above them. Safe from any thread.
///
/// Nothing of the terminal is changed that would have to be restored: whoever is killed leaves the
/// lines that were drawn last, and the cursor on an empty one.
final class LiveScreen: Sendable {
  /// The one that has standard error, if any.
  private static let current = Lock<LiveScreen?>(nil)

  struct Size: Equatable {
    var columns: Int
    var rows: Int
  }

  private struct State {
    /// How wide each line is that was drawn.
    var widths: [Int] = []
    var lines: [String] = []
    var size = Size(columns: 80, rows: 24)
  }

  private let state = Lock(State())

  /// - Returns: nil where nobody watches, or the terminal cannot move its cursor.
  static func begin() -> LiveScreen? {
    guard isatty(STDERR_FILENO) == 1, !["", "dumb"].contains(environmentVariable("TERM") ?? "")
    else { return nil }
    let screen = LiveScreen()
    current.withLock { $0 = screen }
    return screen
  }

  /// Whether colours are wanted: see no-color.org.
  static var hasColor: Bool { (environmentVariable("NO_COLOR") ?? "").isEmpty }

  /// As the terminal is now.
  static func size() -> Size {
    var size = winsize()
    guard unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0,
      size.ws_row > 0
    else { return Size(columns: 80, rows: 24) }
    return Size(columns: Int(size.ws_col), rows: Int(size.ws_row))
  }

  /// Draws `lines` in the place of those before.
  func show(_ lines: [String]) {
    state.withLock { state in
      let size = LiveScreen.size()
      guard lines != state.lines || size != state.size else { return }
      draw(&state, above: "", lines, size)
    }
  }

  /// Says `text`, which ends with a line feed, above the lines, when they are shown on standard
  /// error.
  ///
  /// - Returns: false when they are not: then it is the caller's to say it.
  static func say(_ text: String) -> Bool {
    guard let screen = current.withLock({ $0 }) else { return false }
    screen.state.withLock { state in
      screen.draw(&state, above: text, state.lines, size())
    }
    return true
  }

  /// Removes the lines. Nothing is drawn afterwards.
  func end() {
    LiveScreen.current.withLock { $0 = nil }
    show([])
  }

  private func draw(
    _ state: inout State, above text: String, _ lines: [String], _ size: Size
  ) {
    let bytes = LiveScreen.frame(
      over: state.widths, above: text, lines, columns: size.columns)
    state.lines = lines
    state.widths = lines.map { LiveScreen.width(of: $0) }
    state.size = size
    // Progress is decoration: when it cannot be shown, the work goes on.
    let output = Output(descriptor: STDERR_FILENO)
    try? output.write(bytes)
    try? output.flush()
  }

  /// What to write: to the first of the old lines, which a narrower terminal has wrapped, and over
  /// all below it.
  ///
  /// - Parameter widths: of the lines that are there, in columns.
  static func frame(
    over widths: [Int], above text: String, _ lines: [String], columns: Int
  ) -> String {
    let height = widths.reduce(0) { $0 + max(1, ($1 + columns - 1) / max(1, columns)) }
    let up = height > 0 ? "\u{1B}[\(height)A" : ""
    return "\r\(up)\u{1B}[J\(text)\(lines.map { "\($0)\n" }.joined())"
  }

  /// Without the colours that lines may have.
  private static func width(of line: String) -> Int {
    DisplayWidth.columns(of: line.replacing(/\u{1B}\[[0-9;]*m/, with: ""))
  }
}
