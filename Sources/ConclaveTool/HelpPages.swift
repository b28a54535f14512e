import ConclaveBus

extension Menu {
  static var versionText: String {
    "conclave \(Conclave.version) (segment layout \(Conclave.segmentLayoutVersion))\n"
  }

  static var topHelp: String {
    """
    conclave - a message bus for the processes of one machine

    Usage: conclave bus COMMAND [options]
           conclave board COMMAND [options]
           conclave parallel-run --plan FILE [options]
           conclave ralph-run --task TEXT [options]
           conclave ralph COMMAND [options]
           conclave doctor [options]
           conclave help [COMMAND [COMMAND]]
           conclave --version

    Commands:

    """
      + helpTable([
        ("bus", "publish, subscribe and look after the bus; see conclave bus --help"),
        ("board", "what tasks tell each other; see conclave board --help"),
        ("parallel-run", ParallelCommand.usage.summary),
        ("ralph-run", RalphRunCommand.usage.summary),
        ("ralph", "look after a loop that ralph-run has begun; see conclave ralph --help"),
        ("doctor", DoctorCommand.usage.summary),
      ])
      + "\nExit codes:\n" + ExitCode.table
      + helpExamples([
        Example("watch everything that is said", "conclave bus subscribe"),
        Example(
          "say something",
          "conclave bus publish build.done --sender ci --type result --payload '{\"ok\":true}'"),
      ])
  }

  static var ralphHelp: String {
    """
    conclave ralph - look after the loop of ralph-run in this git worktree

    Usage: conclave ralph COMMAND [options]

    Commands:

    """
      + helpTable(ralphCommands.map { ($0.usage.commandName, $0.usage.summary) })
      + "\nEach command has --help.\n"
      + helpExamples([Example("how far is it?", "conclave ralph status")])
  }

  static var busHelp: String {
    """
    conclave bus - the message bus of this directory or git repository

    Usage: conclave bus COMMAND [options]

    Commands:

    """
      + helpTable(busCommands.map { ($0.usage.commandName, $0.usage.summary) })
        + """

        Each command has --help.

        The bus is a directory: --bus-dir, or else BUS_DIR, or else the nearest
        \(BusLocation.relativePath), or else the one in the repository's main worktree.

        Environment:

        """
      + helpTable(environment)
      + helpExamples([
        Example("see which bus is used here, and why", "conclave bus where"),
        Example(
          "follow a topic and what is below it", "conclave bus subscribe build | jq .payload"),
      ])
  }

  static var boardHelp: String {
    """
    conclave board - what tasks that work beside each other tell each other

    Usage: conclave board COMMAND [options]

    Commands:

    """
      + helpTable(boardCommands.map { ($0.usage.commandName, $0.usage.summary) })
        + """

        Each command has --help.

        A board is a topic of the bus. Its notes are discoveries (facts that help others),
        warnings (pitfalls), intents (what somebody is about to change; they expire) and
        context (what who runs the tasks has to say).

        Environment:

        """
      + helpTable([
        ("BUS_DIR", "the bus directory; see conclave bus --help"),
        ("BUS_GROUP", "the group with which it is shared"),
        ("BUS_MODE", "0660 with a group, 0600 without"),
        ("BUS_TRANSPORT", "shm, file or mirror (default)"),
        ("BUS_MAX_BOARD_INJECT", "how many notes besides the warnings are shown; default 20"),
      ])
      + helpExamples([
        Example(
          "tell the others",
          "conclave board post warning \"package X 2 breaks auth\" --sender task-3"),
        Example("see what they said", "conclave board read"),
      ])
  }

  /// What stands in for options of several commands.
  private static let environment: [(String, String)] = [
    ("BUS_DIR", "the bus directory"),
    ("BUS_GROUP", "the group with which it is shared"),
    ("BUS_MODE", "0660 with a group, 0600 without"),
    ("BUS_TRANSPORT", "shm (default), file or mirror"),
    (
      "BUS_POLL_INTERVAL",
      "how often topic files are looked at where the system cannot tell of changes; default 100ms"
    ),
    ("BUS_POLL_MAX_INTERVAL", "the same after a while without changes; default 1s"),
  ]
}
