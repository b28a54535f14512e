import ConclaveBus

/// `conclave bus where`: the path on standard output, the reason on standard error.
enum WhereCommand: Command {
  static let usage = Usage(
    "bus where", "say which directory is the bus here, and by which rule",
    details: """
      Prints the path alone on standard output, so that it can be used in $(...), and
      the rule on standard error. Nothing is made; the directory may not exist yet.
      """,
    options: Option.place,
    examples: [
      Example("which bus is it?", "conclave bus where"),
      Example("list its topic files", "ls \"$(conclave bus where)\""),
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let location = try arguments.busLocation()
    if console.json {
      var object = JSONObject()
      object.add("path", location.path)
      object.add("rule", location.rule.rawValue)
      object.add("exists", location.exists)
      try console.output.write(object.text + "\n")
    } else {
      try console.output.write(location.path + "\n")
      try console.output.flush()
      console.notes.say(explanation(location))
    }
    return .success
  }

  private static func explanation(_ location: BusLocation) -> String {
    let rule =
      switch location.rule {
      case .option: "named by --bus-dir"
      case .environment: "named by the environment variable BUS_DIR"
      case .ancestor: "the nearest one, from the working directory upwards"
      case .git: "in the main worktree of this git repository"
      case .workingDirectory: "in the working directory, as there is none above it and no git"
      }
    return location.exists ? rule : "\(rule); not made yet"
  }
}
