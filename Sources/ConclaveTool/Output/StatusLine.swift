import Glibc

/// One line on the terminal that is written over and over; nothing where nobody watches.
struct StatusLine {
  private let isShown: Bool
  private var hasText = false

  init(isShown: Bool) { self.isShown = isShown }

  mutating func show(_ text: String) {
    guard isShown else { return }
    write("\r\(text)\u{1B}[K")
    hasText = true
  }

  /// Leaves an empty line behind.
  mutating func clear() {
    // "Erase to the end of the line", which every terminal understands that has a carriage return.
    if hasText { write("\r\u{1B}[K") }
    hasText = false
  }

  private func write(_ text: String) {
    // Progress is decoration: when it cannot be shown, the work goes on.
    let output = Output(descriptor: STDERR_FILENO)
    try? output.write(text)
    try? output.flush()
  }
}
