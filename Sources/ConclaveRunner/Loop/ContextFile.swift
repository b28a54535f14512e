/// The text of `.ralph_context.md`: what the agent is told of earlier attempts, by the loop alone.
enum ContextFile {
  static let headLines = 40
  static let tailLines = 60

  /// - Parameters:
  ///   - error: the output of the gate that failed last, or empty.
  ///   - notes: of other tasks, rendered.
  ///   - added: by a person.
  ///   - more: facts about the repository, or empty.
  static func text(
    _ state: LoopState, threshold: Int, error: String, notes: String, added: String, more: String
  ) -> String {
    var sections = ["# Ralph Loop Context: \(state.taskID)", status(state, threshold)]
    if !error.isEmpty {
      sections.append("## Last Error Output (verbatim)\n\(PromptText.fenced(shortened(error)))")
    }
    if !state.attempts.isEmpty { sections.append("## Last Attempts\n\(attempts(state))") }
    if !more.isEmpty { sections.append("## About This Repository\n\(PromptText.fenced(more))") }
    if !added.trimmed.isEmpty { sections.append("## Added By A Person\n\(added.trimmed)") }
    if !notes.trimmed.isEmpty { sections.append(String(notes.trimmed)) }
    return sections.joined(separator: "\n\n") + "\n"
  }

  private static func status(_ state: LoopState, _ threshold: Int) -> String {
    var lines = [
      "## Status", "- Iteration: \(state.iteration) of \(state.maxIterations)",
      "- Last gate failed: "
        + (state.lastGate.isEmpty
          ? "(none yet)" : "\(state.lastGate) (exit code \(state.exitCode))"),
    ]
    if state.stuckCount > 0 {
      lines.append("- Equal failures in a row: \(state.stuckCount) (threshold: \(threshold))")
    }
    return lines.joined(separator: "\n")
  }

  private static func attempts(_ state: LoopState) -> String {
    state.attempts.suffix(3).map { attempt in
      let verdict = attempt.verdict.isEmpty ? "" : " [\(attempt.verdict)]"
      return
        "- Iteration \(attempt.iteration): \(attempt.gate) failed: \(attempt.summary)\(verdict)"
    }.joined(separator: "\n")
  }

  /// `text` itself up to 100 lines, or else its beginning and its end, where test failures are.
  static func shortened(_ text: String) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count > headLines + tailLines else { return capped(text) }
    let omitted = lines.count - headLines - tailLines
    let parts =
      lines.prefix(headLines) + ["[... \(omitted) of \(lines.count) lines omitted ...]"]
      + lines.suffix(tailLines)
    return capped(parts.joined(separator: "\n"))
  }

  /// Few lines can be long ones.
  private static func capped(_ text: String) -> String {
    let limit = 32_768
    guard text.utf8.count > limit else { return text }
    return String(decoding: text.utf8.prefix(limit / 2), as: UTF8.self)
      + "\n[... \(text.utf8.count - limit) bytes omitted ...]\n"
      + String(decoding: text.utf8.suffix(limit / 2), as: UTF8.self)
  }
}
