/// The commands by name, and the help and version texts that belong to none of them.
enum Menu {
  /// What the first words of the command line ask for.
  enum Choice {
    case text(String)
    case command(any Command.Type, arguments: ArraySlice<String>)
  }

  /// Every command of the group `bus`, in the order of the help.
  static let busCommands: [any Command.Type] = [
    PublishCommand.self, SubscribeCommand.self, ReplayCommand.self, MirrorCommand.self,
    StatusCommand.self, CompactCommand.self, CleanCommand.self, WhereCommand.self,
    StressCommand.self,
  ]

  /// Every command of the group `ralph`.
  static let ralphCommands: [any Command.Type] = [
    RalphStatusCommand.self, RalphStopCommand.self, RalphAddContextCommand.self,
  ]

  /// Commands that this program calls itself by, and nobody else should.
  private static let hiddenCommands: [any Command.Type] = [StressWorkerCommand.self]

  /// - Throws: ``ToolError`` with ``ExitCode/usage``, naming the command that was probably meant.
  static func choose(_ arguments: [String]) throws(ToolError) -> Choice {
    var words = arguments[...]
    let asksForHelp = words.first == "help"
    if asksForHelp { words = words.dropFirst() }
    let rest = words.dropFirst()
    switch words.first {
    case nil where asksForHelp, "--help", "-h": return .text(topHelp)
    case nil: throw missing("conclave", "bus, ralph-run, ralph")
    case "--version": return .text(versionText)
    case "bus":
      return try chooseIn("bus", busCommands, hidden: hiddenCommands, busHelp, rest, asksForHelp)
    case "ralph-run":
      let usage = RalphRunCommand.usage
      return asksForHelp
        ? .text(helpText(usage)) : .command(RalphRunCommand.self, arguments: rest)
    case "ralph":
      return try chooseIn("ralph", ralphCommands, hidden: [], ralphHelp, rest, asksForHelp)
    case let word?:
      throw unknown(
        word, in: "conclave", among: ["bus", "ralph-run", "ralph", "help", "--help", "--version"])
    }
  }

  private static func chooseIn(
    _ group: String, _ shown: [any Command.Type], hidden: [any Command.Type], _ help: String,
    _ arguments: ArraySlice<String>, _ asksForHelp: Bool
  ) throws(ToolError) -> Choice {
    var words = arguments
    var asksForHelp = asksForHelp
    if words.first == "help" {
      asksForHelp = true
      words = words.dropFirst()
    }
    let names = shown.map { $0.usage.commandName }
    switch words.first {
    case nil where asksForHelp, "--help", "-h": return .text(help)
    case nil: throw missing("conclave \(group)", names.joined(separator: ", "))
    case let word?:
      let commands = shown + hidden
      guard let command = commands.first(where: { $0.usage.commandName == word }) else {
        throw unknown(word, in: "conclave \(group)", among: names + ["help", "--help"])
      }
      if asksForHelp { return .text(helpText(command.usage)) }
      return .command(command, arguments: words.dropFirst())
    }
  }

  private static func missing(_ group: String, _ names: String) -> ToolError {
    usageError("\(group) needs a command: \(names)", hint: "see \(group) --help")
  }

  private static func unknown(
    _ word: String, in group: String, among names: [String]
  ) -> ToolError {
    let meant = closest(to: word, among: names).map { "did you mean \($0)?" }
    return usageError(
      "unknown \(word.hasPrefix("-") ? "option" : "command") \(quoted(word))",
      hint: meant ?? "see \(group) --help")
  }
}
