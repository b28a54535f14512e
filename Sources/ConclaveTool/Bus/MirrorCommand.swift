import ConclaveBus

/// `conclave bus mirror`: copies the ring into the topic files until it is told to end.
enum MirrorCommand: Command {
  private static let whenFailing = Option(
    "when-failing", value: "block|fail|continue",
    "while it cannot write: block (the default), publishers wait once the ring is full; continue, "
      + "they go on, and what could not be written is missing in the files; fail is the same as "
      + "block, since a publisher that is to fail says so itself")
  private static let syncInterval = Option(
    "sync-interval", value: "TIME",
    "force the files to the disk so often, also when nobody asks for it; never by default")
  private static let patience = Option(
    "patience", value: "TIME",
    "how long a publisher waits at most for room that this mirror has to make; default 10s")

  static let usage = Usage(
    "bus mirror", "copy everything that is published into the topic files",
    details: """
      Runs until SIGINT or SIGTERM, and copies what was published by then before it
      ends. Whoever opens the bus with --transport mirror may become the mirror as
      well; this command sees to it that there always is one. Of several one is the
      mirror and the others wait for its end, however it ends: nothing is missing
      then, and nothing is copied twice.

      Says on standard error which it is, and how far it is when that is a terminal.
      With --json it prints a line on standard output when that changes, and once a
      second: the role (waiting, mirror or ended), the position of the ring, and of
      the mirror what bus status --json says.

      Ends with exit code 5 when another bus is mirrored into the directory.
      """,
    options: [whenFailing, syncInterval, patience, .busDirectory],
    examples: [
      Example("keep everything from now on", "conclave bus mirror"),
      Example(
        "lose at most a second of it in a power cut", "conclave bus mirror --sync-interval 1s"),
    ])

  /// Mirroring the rest may take longer than other commands' ends.
  private static let graceMilliseconds: Int32 = 20_000

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let options = try options(arguments)
    let directory = try arguments.busDirectory(create: true)
    let watch = MirrorWatch(directory, console.notes)
    let bus = try watch.open(options)
    defer { bus.close() }
    let wakeup = Wakeup()
    let interruption = try Interruption.watch(
      output: console.json, graceMilliseconds: graceMilliseconds
    ) { wakeup.signal() }
    while !wakeup.wait(.seconds(1)) { try watch.report() }
    bus.close()
    try watch.reportEnd()
    return interruption.exitCode ?? .success
  }

  private enum FailurePolicy: String, CaseIterable {
    case block, fail
    case goOn = "continue"

    var policy: MirrorOptions.FailurePolicy {
      switch self {
      case .block: .block
      case .fail: .fail
      case .goOn: .continueUnmirrored
      }
    }
  }

  private static func options(_ arguments: Arguments) throws(ToolError) -> MirrorOptions {
    var options = MirrorOptions()
    if let word = try arguments.word(whenFailing, of: FailurePolicy.self) {
      options.whenFailing = word.policy
    }
    options.syncInterval = try arguments.duration(syncInterval)
    if let patience = try arguments.duration(patience) { options.patience = patience }
    return options
  }
}
