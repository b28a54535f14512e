import ConclaveBus

/// `conclave bus subscribe`: envelopes as JSON Lines on standard output, gaps and warnings beside
/// it.
enum SubscribeCommand: Command {
  private static let count = Option(
    "count", short: "n", value: "N", "end after N messages, with exit code 0")
  private static let timeout = Option(
    "timeout", value: "TIME", "end when nothing arrived for this long, with exit code 4")
  private static let policy = Option(
    "policy", value: "dropping|back-pressure",
    "when this subscriber is too slow, it loses messages and is told so (the default), or "
      + "publishers wait for it")
  private static let backPressureTimeout = Option(
    "back-pressure-timeout", value: "TIME",
    "how long one publish waits at most for this subscriber; without it as long as it lives")
  private static let readOnly = Option(
    "read-only", "let the kernel see to it that nothing is written into shared memory")
  private static let strict = Option(
    "strict", "end with exit code 6 if messages were lost or damaged")

  static let usage = Usage(
    "bus subscribe", "print messages as they arrive, one JSON object a line",
    details: """
      Each line has id, seq, timestamp, sender, topic, type and payload, in this
      order; other keys may follow. Gaps and warnings go to standard error, with
      --json as JSON objects, too. Times are written like 100ms, 1s or 2m; plain
      numbers are seconds.

      --from takes a moment like 2026-11-21T09:05:00Z, or -10m for ten minutes ago,
      where messages are kept in files: with --transport file and mirror.

      With --durable each line also has redelivered and attempt. A message that was
      not acknowledged five times goes to the topic dead-letter.NAME. With --ack
      manual the command ends with its standard input, or when --count messages are
      acknowledged. Where a name begins, --from says only the first time.

      With --read-only shared memory is mapped for reading alone, so the bus must be
      there already; messages may come 20 ms later, and status and top do not show
      this subscriber. For debugging a bus that others rely on.
      """,
    operands: [
      Operand("PREFIX", isRequired: false, "a topic, received with all below it; all without it")
    ],
    options: [
      .from, count, timeout, policy, backPressureTimeout, readOnly, strict,
      DurableFollow.durable, DurableFollow.ack, .transport, .pollInterval, .pollMaxInterval,
    ] + Option.place,
    examples: [
      Example("the payloads below one topic", "conclave bus subscribe build | jq -c .payload"),
      Example(
        "wait at most a minute for one message",
        "conclave bus subscribe build.done --count 1 --timeout 1m"),
      Example(
        "one of several that share the jobs, and go on where they were",
        "conclave bus subscribe jobs --durable builders"),
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let prefix = try TopicPrefix(arguments.operands.first ?? "")
    let limit = try arguments.value(count, form: "a whole number from 1 up", parseCount)
    let idle = try arguments.duration(timeout)
    var options = SubscriptionOptions(
      policy: try policy(arguments), start: try arguments.start() ?? .now,
      isReadOnly: arguments.has(readOnly))
    if options.isReadOnly { try checkReadOnly(arguments) }
    if let name = arguments.text(DurableFollow.durable) {
      guard !arguments.has(policy) else {
        throw usageError(
          "--policy means nothing with --durable, which loses nothing", hint: "leave it out")
      }
      return try DurableFollow.run(
        DurableName(name), arguments, console, prefix, limit: limit, idle: idle,
        start: options.start, isStrict: arguments.has(strict))
    }
    guard !arguments.has(DurableFollow.ack) else {
      throw usageError("--ack means nothing without --durable", hint: "add --durable NAME")
    }
    let notes = DeliveryNotes(notes: console.notes)
    options.onWarning = { notes.warn($0) }

    let bus = try arguments.openBus(
      console,
      BusSettings(polling: arguments.pollingIntervals(), isReadOnly: options.isReadOnly))
    defer { bus.close() }
    let subscription = try bus.subscribe(to: prefix, options: options)
    // So that it leaves in order, and status does not count it among the dead.
    defer { subscription.cancel() }
    let interruption = try Interruption.watch(output: true) { subscription.cancel() }
    var printer = EnvelopePrinter(output: console.output, notes: notes, remaining: limit ?? .max)
    try printer.follow(subscription, idle: idle)

    if let exit = interruption.exitCode { return exit }
    if arguments.has(strict), !subscription.losses.isNone { return .degraded }
    if let idle, printer.remaining > 0, !subscription.isEnded {
      try console.output.flush()
      throw ToolError(
        .timedOut, code: "timeout",
        "nothing arrived for \(decimal(idle / .seconds(1), digits: 3)) s",
        hint: "wait longer with --timeout, or begin earlier with --from")
    }
    return .success
  }

  /// Refuses what cannot be done without writing.
  private static func checkReadOnly(_ arguments: Arguments) throws {
    if arguments.has(DurableFollow.durable) {
      throw usageError(
        "a durable subscription writes down how far it is, so it cannot be read-only",
        hint: "leave out --durable or --read-only")
    }
    if try arguments.word(policy, of: PolicyName.self) == .backPressure {
      throw usageError(
        "a read-only subscriber cannot hold publishers back",
        hint: "leave out --policy or --read-only")
    }
    if try arguments.word(.transport, of: Transport.self) == .file {
      throw usageError(
        "--read-only is for shared memory; topic files are only ever read by a subscriber",
        hint: "leave it out, or use --transport shm or mirror")
    }
  }

  private static func policy(
    _ arguments: Arguments
  ) throws(ToolError) -> SubscriptionOptions.Policy {
    let name = try arguments.word(policy, of: PolicyName.self) ?? .dropping
    let timeout = try arguments.duration(backPressureTimeout)
    guard name == .backPressure || timeout == nil else {
      throw usageError(
        "--back-pressure-timeout means nothing without back pressure",
        hint: "add --policy back-pressure")
    }
    return name == .dropping ? .dropping : .backPressure(timeout: timeout)
  }

  private enum PolicyName: String, CaseIterable {
    case dropping
    case backPressure = "back-pressure"
  }
}
