import ConclaveBus
import ConclaveRunner

/// Which agent is meant, and what it may do.
enum AgentOptions {
  private static let agent = Option(
    "agent", value: "NAME|FILE", "claude (the default), codex, gemini, or a JSON file")
  private static let permissionMode = Option(
    "permission-mode", value: "MODE",
    "what the agent may do, in its own words; default: edit files")
  private static let allowedTools = Option(
    "allowed-tools", value: "LIST", "the tools that it may use, in its own words")

  static let all = [agent, permissionMode, allowedTools]

  /// - Throws: ``ToolError`` for an agent that nobody knows, `BusError` for a description that
  ///   cannot be used, or for an agent that has no option for what it may do.
  static func read(_ arguments: Arguments) throws -> AgentConfiguration {
    try named(arguments).allowing(
      permissions: arguments.text(permissionMode), tools: arguments.text(allowedTools))
  }

  /// The same agent, without what it may do.
  static func named(_ arguments: Arguments) throws -> AgentConfiguration {
    try configuration(arguments.text(agent) ?? AgentConfiguration.presets[0].name)
  }

  /// - Parameter name: of a preset, or of a file.
  static func configuration(_ name: String) throws -> AgentConfiguration {
    var chosen = AgentConfiguration.presets.first { $0.name == name }
    // As large as programs are, which some name instead of their description.
    if chosen == nil, let bytes = try TaskText.contents(name, limit: 256 << 20) {
      do throws(BusError) { chosen = try AgentConfiguration(json: bytes) } catch {
        throw BusError(error.code, "\(quoted(name)): \(error.message)", hint: error.hint)
      }
    }
    guard let chosen else {
      let names = AgentConfiguration.presets.map(\.name).joined(separator: ", ")
      throw usageError(
        "there is no agent \(quoted(name)), and no such file",
        hint: "choose one of \(names), or name a JSON file that describes it")
    }
    return chosen
  }
}
