import ConclaveBus

/// `conclave bus mirror`: copies the ring into the topic files until it is told to end.
enum MirrorCommand: Command {
  private static let whenFailing = Option(
    "when-failing", value: "block|fail|continue",
    "what becomes of what it cannot write when room gets short: block (the default), it is held, "
      + "and publishers wait once the ring is full; continue, it is given up, so that they go on, "
      + "and is missing in the files; fail is the same as block, since a publisher that is to fail "
      + "says so itself")
  private static let syncInterval = Option(
    "sync-interval", value: "TIME",
    "force the files to the disk so often, also when nobody asks for it; never by default")
  private static let patience = Option(
    "patience", value: "TIME",
    "how long a publisher that does not say so itself waits at most for room that this mirror has "
      + "to make; default 10s")
  private static let retention = Option(
    "retention", value: "LIMITS",
    "what to keep of each topic: age=7d,size=1GiB,count=1000000, one or more of them; default: "
      + "everything")
  private static let retentionTopic = Option(
    "retention-topic", value: "PREFIX",
    "with --retention: only this topic and those below it have the limits")

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

      With --retention it puts long topic files aside and removes the oldest that
      exceed a limit, as bus compact does, about once a second. It does so from its
      start to its end, also while another process is the mirror; of several such
      commands the limits of each hold. --sync-interval, --when-failing and --patience
      hold while it is the mirror; until then it says that they do not, with --json
      as optionsInForce and optionsWaiting.

      When the bus directory is moved or removed, it says so, writes nothing, and
      goes on when it is back. Ends with exit code 5 when another bus is mirrored into
      the directory, or when this bus is mirrored into one that was moved.
      """,
    options: [
      whenFailing, syncInterval, patience, retention, retentionTopic,
    ] + Option.place,
    examples: [
      Example("keep everything from now on", "conclave bus mirror"),
      Example(
        "lose at most a second of it in a power cut", "conclave bus mirror --sync-interval 1s"),
      Example("keep the last week", "conclave bus mirror --retention age=7d"),
    ])

  /// Mirroring the rest may take longer than other commands' ends.
  private static let graceMilliseconds: Int32 = 20_000

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let options = try options(arguments)
    let directory = try arguments.busDirectory(create: true)
    let watch = MirrorWatch(
      directory, console.notes,
      ofMirror: [syncInterval, whenFailing, patience].filter(arguments.has).map(\.long),
      ofAll: [retention].filter(arguments.has).map(\.long))
    let bus = try watch.open(options)
    defer { bus.close() }
    let wakeup = Wakeup()
    let interruption = try Interruption.watch(
      output: console.json, graceMilliseconds: graceMilliseconds
    ) { wakeup.signal() }
    while !wakeup.wait(.seconds(1)) {
      bus.enforceRetentionInPassing()
      try watch.report()
    }
    bus.close()
    try watch.reportEnd()
    return interruption.exitCode ?? .success
  }

  private static func options(_ arguments: Arguments) throws -> MirrorOptions {
    var options = MirrorOptions()
    if let word = try arguments.word(whenFailing, of: FailureWord.self) {
      options.givesUp = word == .goOn
    }
    options.syncInterval = try arguments.duration(syncInterval)
    if options.syncInterval == .zero {
      throw usageError(
        "--sync-interval 0 would do nothing else",
        hint: "use a longer time, or let publishers ask with --durability synced")
    }
    if let patience = try arguments.duration(patience) { options.patience = patience }
    options.file.retention = try rules(arguments)
    return options
  }

  private static func rules(_ arguments: Arguments) throws -> RetentionRules? {
    let prefix = try arguments.text(retentionTopic).map { text throws(BusError) in
      try TopicPrefix(text)
    }
    guard let policy = try arguments.retention(retention) else {
      guard prefix == nil else {
        throw usageError(
          "--retention-topic means nothing without --retention", hint: "add --retention LIMITS")
      }
      return nil
    }
    return RetentionRules(
      rules: [RetentionRules.Rule(prefix: prefix ?? .all, policy: policy)])
  }
}
