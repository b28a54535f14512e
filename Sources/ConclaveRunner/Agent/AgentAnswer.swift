import CShim

/// What an agent has said when it had ended, and what that did cost.
public struct AgentAnswer: Hashable, Sendable {
  /// Its last words alone: no output of its tools, and not the prompt that it may have repeated.
  public var finalText: String
  /// Whether it says itself that it failed.
  public var isError = false
  /// Whether it has come as the JSON object that was promised.
  var isStructured = false
  /// In US dollars; 0 when it does not say.
  public var cost = 0.0
  public var inputTokens = 0
  public var outputTokens = 0
  public var turns = 0

  public init(finalText: String) { self.finalText = finalText }

  /// Takes an answer apart.
  ///
  /// - Returns: an answer with ``isError`` when JSON was promised and nothing of it came.
  init(_ output: CapturedOutput, form: AgentConfiguration.AnswerForm, prompt: String) {
    switch form {
    case .text: self.init(finalText: output.text)
    case .json(let keys):
      guard let tree = AgentAnswer.lastObject(output.text) else {
        self.init(finalText: output.text)
        isError = true
        break
      }
      self.init(finalText: tree[keys.result]?.text ?? "")
      isStructured = true
      isError = tree[keys.isError]?.isTrue ?? false
      cost = max(0, tree[keys.cost]?.double ?? 0)
      inputTokens = max(0, tree[keys.inputTokens]?.int ?? 0)
      outputTokens = max(0, tree[keys.outputTokens]?.int ?? 0)
      turns = max(0, tree[keys.turns]?.int ?? 0)
    }
    finalText = AgentAnswer.withoutEcho(finalText, prompt)
  }

  /// The whole text as an object, or the last line that is one: agents that stream say the result
  /// last, and warnings may stand before it.
  private static func lastObject(_ text: String) -> JSONTree? {
    let candidates = [text[...]] + text.split(whereSeparator: \.isNewline).reversed().prefix(100)
    for candidate in candidates where candidate.first(where: { !$0.isWhitespace }) == "{" {
      if let tree = try? JSONTree(Array(candidate.utf8)), case .object = tree { return tree }
    }
    return nil
  }

  /// An agent that repeats its prompt would say everything that it was asked to say.
  private static func withoutEcho(_ text: String, _ prompt: String) -> String {
    let prompt = Array(prompt.trimmed.utf8)
    let text = Array(text.utf8)
    guard prompt.count > 40 else { return String(decoding: text, as: UTF8.self) }
    var kept: [UInt8] = []
    var position = 0
    // Bytes, since an answer has megabytes, and may hold the prompt a hundred thousand times.
    while position < text.count {
      let found = unsafe text.withUnsafeBytes { text in
        unsafe prompt.withUnsafeBytes { prompt in
          unsafe conclave_find_bytes(
            text.baseAddress?.advanced(by: position), text.count - position, prompt.baseAddress,
            prompt.count)
        }
      }
      guard found >= 0 else { break }
      kept += text[position..<position + found]
      position += found + prompt.count
    }
    return String(decoding: kept + text[position...], as: UTF8.self)
  }
}

extension AgentAnswer {
  /// The last line that is not empty, without white space around it.
  var lastLine: Substring {
    finalText.split(whereSeparator: \.isNewline).last { !$0.allSatisfy(\.isWhitespace) }?.trimmed
      ?? ""
  }

  /// What is behind `BLOCKED:` in the last line: why a person is needed.
  var blockedReason: String? {
    guard lastLine.hasPrefix("BLOCKED:") else { return nil }
    let reason = lastLine.dropFirst("BLOCKED:".count).trimmed
    return reason.isEmpty || reason.hasPrefix("<") ? nil : String(reason.prefix(500))
  }

  /// Whether it says, as its last line and nothing else, that there is nothing to do.
  var saysAlreadyDone: Bool { lastLine == "ALREADY_DONE" }

  /// Whether the reviewer's last line is the verdict and nothing else.
  var saysSpecPassed: Bool { lastLine == "SPEC_PASS" }
}

extension StringProtocol {
  /// Without white space at both ends.
  package var trimmed: SubSequence {
    guard let start = firstIndex(where: { !$0.isWhitespace }),
      let end = lastIndex(where: { !$0.isWhitespace })
    else { return self[endIndex..<endIndex] }
    return self[start...end]
  }
}
