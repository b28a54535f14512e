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
    StatusCommand.self, TopCommand.self, CompactCommand.self, CleanCommand.self,
    ArchiveCommand.self,
    WhereCommand.self, StressCommand.self,
  ]

  /// Every command of the group `board`, in the order of the help.
  static let boardCommands: [any Command.Type] = [
    PostCommand.self, ReadCommand.self, WatchCommand.self,
  ]

  /// Every command of the group `ralph`.
  static let ralphCommands: [any Command.Type] = [
    RalphStatusCommand.self, RalphStopCommand.self, RalphAddContextCommand.self,
  ]

  /// Every command that is one word, behind the groups in the help.
  static let singleCommands: [any Command.Type] = [
    ParallelCommand.self, RalphRunCommand.self, DoctorCommand.self,
  ]

  /// Commands that belong together, by the word before them.
  private struct Group {
    let name: String
    let commands: [any Command.Type]
    /// Commands that this program calls itself by, and nobody else should.
    var hidden: [any Command.Type] = []
    let help: String
  }

  private static var groups: [Group] {
    [
      Group(
        name: "bus", commands: busCommands, hidden: [StressWorkerCommand.self], help: busHelp),
      Group(name: "board", commands: boardCommands, help: boardHelp),
      Group(name: "ralph", commands: ralphCommands, help: ralphHelp),
    ]
  }

  /// - Throws: ``ToolError`` with ``ExitCode/usage``, naming the command that was probably meant.
  static func choose(_ arguments: [String]) throws(ToolError) -> Choice {
    var words = arguments[...]
    let asksForHelp = words.first == "help"
    if asksForHelp { words = words.dropFirst() }
    let names = groups.map(\.name) + singleCommands.map { $0.usage.commandName }
    switch words.first {
    case nil where asksForHelp, "--help", "-h": return .text(topHelp)
    case nil: throw missing("conclave", names.joined(separator: ", "))
    case "--version": return .text(versionText)
    case let word?:
      if let command = singleCommands.first(where: { $0.usage.commandName == word }) {
        return asksForHelp
          ? .text(helpText(command.usage)) : .command(command, arguments: words.dropFirst())
      }
      guard let group = groups.first(where: { $0.name == word }) else {
        throw unknown(word, in: "conclave", among: names + ["help", "--help", "--version"])
      }
      return try choose(in: group, words.dropFirst(), asksForHelp)
    }
  }

  private static func choose(
    in group: Group, _ arguments: ArraySlice<String>, _ asksForHelp: Bool
  ) throws(ToolError) -> Choice {
    var words = arguments
    var asksForHelp = asksForHelp
    if words.first == "help" {
      asksForHelp = true
      words = words.dropFirst()
    }
    let names = group.commands.map { $0.usage.commandName }
    switch words.first {
    case nil where asksForHelp, "--help", "-h": return .text(group.help)
    case nil: throw missing("conclave \(group.name)", names.joined(separator: ", "))
    case let word?:
      let commands = group.commands + group.hidden
      guard let command = commands.first(where: { $0.usage.commandName == word }) else {
        throw unknown(word, in: "conclave \(group.name)", among: names + ["help", "--help"])
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
