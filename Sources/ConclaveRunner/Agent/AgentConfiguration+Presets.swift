public import ConclaveBus

extension AgentConfiguration {
  /// The agents that are known by name; the first one is the default.
  public static let presets: [AgentConfiguration] = [claude, codex, gemini]

  /// `claude -p` with JSON output. Without a permission mode it could not even write a file.
  public static let claude: AgentConfiguration = {
    var agent = AgentConfiguration(
      name: "claude", command: ["claude", "-p", "--output-format", "json"],
      answer: .json(AnswerKeys()))
    agent.permissionOption = "--permission-mode"
    agent.toolsOption = "--allowedTools"
    return agent
  }()

  /// `codex exec -`, which prints its final message alone on standard output.
  public static let codex: AgentConfiguration = {
    var agent = AgentConfiguration(name: "codex", command: ["codex", "exec", "-"])
    agent.permissionOption = "--sandbox"
    return agent
  }()

  public static let gemini: AgentConfiguration = {
    var keys = AnswerKeys()
    keys.result = "response"
    keys.isError = "error"
    var agent = AgentConfiguration(
      name: "gemini", command: ["gemini", "--output-format", "json"], answer: .json(keys))
    agent.permissionOption = "--approval-mode"
    agent.toolsOption = "--allowed-tools"
    return agent
  }()

  /// What an agent is allowed when nobody says so: to edit files in its working directory.
  private var usualPermission: String? {
    switch name {
    case "claude": "acceptEdits"
    case "codex": "workspace-write"
    case "gemini": "auto_edit"
    default: nil
    }
  }

  /// The same agent for work that changes nothing: `claude` and `codex` have options that deny them
  /// what would write; any other is called as it is.
  public var onlyReading: AgentConfiguration {
    var agent = self
    switch self {
    case .claude: agent.command += ["--disallowedTools", "Bash,Edit,MultiEdit,NotebookEdit,Write"]
    case .codex: agent.command.insert(contentsOf: ["--sandbox", "read-only"], at: 2)
    default: break
    }
    return agent
  }

  /// The same agent with a permission mode and tools, in its own words.
  ///
  /// - Throws: `unsupported` when it has no option for them.
  public func allowing(permissions: String?, tools: String?) throws(BusError) -> AgentConfiguration
  {
    var options: [String] = []
    if let mode = permissions ?? usualPermission {
      options += [try require(permissionOption, "a permission mode"), mode]
    }
    if let tools { options += [try require(toolsOption, "a list of tools"), tools] }
    var agent = self
    // Before a final "-", which stands for standard input.
    let end = command.last == "-" ? command.count - 1 : command.count
    agent.command.insert(contentsOf: options, at: end)
    return agent
  }

  private func require(_ option: String?, _ what: String) throws(BusError) -> String {
    if let option { return option }
    throw BusError(
      .unsupported, "the agent \(name) has no option for \(what)",
      hint: "write it into the agent's command")
  }
}
