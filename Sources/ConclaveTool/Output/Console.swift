import Glibc

/// Where a command speaks: data on standard output, everything for people on standard error.
struct Console {
  let output = Output(descriptor: STDOUT_FILENO)
  let notes: Notes

  /// Whether `--json` was given.
  var json: Bool { notes.json }

  init(json: Bool) { notes = Notes(json: json) }
}

/// Standard error: each note is one line and one write, so that notes of several threads do not
/// mix.
struct Notes: Sendable {
  /// Whether notes are JSON objects instead of sentences.
  let json: Bool

  /// Whether people watch, so that progress is of use.
  var isWatched: Bool { isatty(STDERR_FILENO) == 1 }

  /// Says `line` at once. Nothing can be done when that fails.
  func say(_ line: String) { ask(line.hasSuffix("\n") ? line : line + "\n") }

  /// Says `question` and leaves the cursor behind it.
  func ask(_ question: String) {
    let output = Output(descriptor: STDERR_FILENO)
    try? output.write(question)
    try? output.flush()
  }

  func report(_ error: ToolError) { say(json ? error.json : error.line) }
}
