public import ConclaveBus

extension AgentConfiguration {
  /// An agent as a JSON file describes it: `{"name": "mine", "command": ["my-agent", "--quiet"],
  /// "prompt": "stdin", "answer": "json", "keys": {"result": "answer.text"}, "check": [...],
  /// "permissionOption": "--mode", "toolsOption": "--tools"}`. Only `command` is needed.
  ///
  /// - Throws: `invalidPayload` that names what is wrong, also for keys that do not exist.
  public init(json bytes: [UInt8]) throws(BusError) {
    guard let tree = try? JSONTree(bytes) else {
      throw AgentConfiguration.wrong("it is not JSON")
    }
    guard case .object(let members) = tree else {
      throw AgentConfiguration.wrong("it is not an object")
    }
    let known: Set<String> = [
      "name", "command", "prompt", "answer", "keys", "check", "permissionOption", "toolsOption",
    ]
    if let unknown = members.keys.filter({ !known.contains($0) }).min() {
      throw AgentConfiguration.wrong("\(shown(unknown)) is none of its keys")
    }
    guard let command = members["command"]?.strings, let program = command.first, !program.isEmpty
    else { throw AgentConfiguration.wrong("\"command\" is not a list of strings") }
    self.init(
      name: members["name"]?.text ?? String(program.split(separator: "/").last ?? "agent"),
      command: command)
    if let route = members["prompt"] {
      guard let known = route.text.flatMap(PromptRoute.init(rawValue:)) else {
        throw AgentConfiguration.wrong("\"prompt\" is none of stdin, argument, file")
      }
      prompt = known
    }
    answer = try AgentConfiguration.answerForm(members)
    if let check = members["check"] {
      guard let words = check.strings else {
        throw AgentConfiguration.wrong("\"check\" is not a list of strings")
      }
      self.check = words
    }
    permissionOption = members["permissionOption"]?.text
    toolsOption = members["toolsOption"]?.text
  }

  private static func answerForm(
    _ members: [String: JSONTree]
  ) throws(BusError) -> AnswerForm {
    switch members["answer"]?.text ?? (members["answer"] == nil ? "text" : "") {
    case "text": return .text
    case "json":
      var keys = AnswerKeys()
      let given = members["keys"]
      keys.result = given?["result"]?.text ?? keys.result
      keys.isError = given?["isError"]?.text ?? keys.isError
      keys.cost = given?["cost"]?.text ?? keys.cost
      keys.inputTokens = given?["inputTokens"]?.text ?? keys.inputTokens
      keys.outputTokens = given?["outputTokens"]?.text ?? keys.outputTokens
      keys.turns = given?["turns"]?.text ?? keys.turns
      return .json(keys)
    default: throw wrong("\"answer\" is none of text, json")
    }
  }

  private static func wrong(_ reason: String) -> BusError {
    BusError(
      .invalidPayload, "the agent's description cannot be used: \(reason)",
      hint: #"write for instance {"command": ["codex", "exec", "-"], "prompt": "stdin"}"#)
  }
}
