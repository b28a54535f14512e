import ConclaveBus
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
  func say(_ line: String) {
    let text = line.hasSuffix("\n") ? line : line + "\n"
    if !LiveScreen.say(text) { ask(text) }
  }

  /// Says `question` and leaves the cursor behind it.
  func ask(_ question: String) {
    let output = Output(descriptor: STDERR_FILENO)
    try? output.write(question)
    try? output.flush()
  }

  /// - Parameter kind: the word that scripts switch on.
  func warn(_ kind: String, _ message: String) {
    guard json else { return say("conclave: warning: \(message)") }
    var object = JSONObject()
    object.add("kind", kind)
    object.add("message", message)
    say(JSONObject.line("warning", object))
  }

  func report(_ error: ToolError) { say(json ? error.json : error.line) }
}
