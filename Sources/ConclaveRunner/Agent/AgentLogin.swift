/// Whether a call of an agent has failed since nobody is logged in to it: no iteration can succeed,
/// and none has begun.
///
/// That ends everything, and a failed attempt costs an attempt, so that it is believed only where
/// the agent says it of itself, and never of what tests or tools print:
///
/// - An agent that answers in JSON says it as its error: the last line of its text.
/// - Any agent says it as the last line of standard error, or an agent that answers in text of
///   standard output, when it has ended by itself with an exit code that is not 0.
///
/// The line, without `error:` in front, has to be one of these and nothing else but what follows
/// from a punctuation mark on: `invalid api key`, `not logged in`, `you are not logged in`,
/// `please run /login`, `oauth token has expired`. Or it begins with `please set an auth method`,
/// or ends with `please run /login`. In a JSON error it may also begin with
/// `api error: 401`, or with `failed to authenticate`. Capitals do not matter.
enum AgentLogin {
  /// - Returns: the line that says so, or nil.
  static func refusal(_ result: ChildResult, _ answer: AgentAnswer) -> String? {
    guard result.cause == .itself else { return nil }
    if answer.isStructured, answer.isError {
      let line = plain(answer.finalText)
      let begins = ["api error: 401", "failed to authenticate"].contains {
        line.lowercased().hasPrefix($0)
      }
      if begins || isRefusal(line) { return line }
    }
    guard case .code(let code) = result.exit, code != 0 else { return nil }
    let said = [result.errors.text] + (answer.isStructured ? [] : [answer.finalText])
    return said.map(plain).first(where: isRefusal)
  }

  private static let phrases = [
    "invalid api key", "not logged in", "you are not logged in", "please run /login",
    "oauth token has expired",
  ]

  /// The last line that is not empty, without terminal sequences.
  private static func plain(_ text: String) -> String {
    let line = AgentAnswer(finalText: text).lastLine
    return String(ErrorFingerprint.plain(line).trimmed)
  }

  private static func isRefusal(_ line: String) -> Bool {
    var line = line.lowercased()[...]
    if line.hasPrefix("error:") { line = line.dropFirst("error:".count).trimmed }
    if line.hasPrefix("please set an auth method") || line.hasSuffix("please run /login") {
      return true
    }
    return phrases.contains { phrase in
      guard line.hasPrefix(phrase) else { return false }
      let next = line.dropFirst(phrase.count).trimmed.first
      return next.map { !$0.isLetter && !$0.isNumber && $0 != "_" } ?? true
    }
  }
}
