import Glibc

/// Where a command speaks: data on standard output, everything for people on standard error.
struct Console {
  let output = Output(descriptor: STDOUT_FILENO)
  private let notes = Output(descriptor: STDERR_FILENO)
  /// Whether errors and notes are JSON objects, one a line.
  let json: Bool

  init(json: Bool) { self.json = json }

  /// Whether people watch standard error, so that progress is of use.
  var isWatched: Bool { isatty(STDERR_FILENO) == 1 }

  /// Says `line` on standard error at once; nothing can be done when that fails.
  func note(_ line: String) {
    try? notes.write(line.hasSuffix("\n") ? line : line + "\n")
    try? notes.flush()
  }

  func report(_ error: ToolError) { note(json ? error.json : error.line) }
}
