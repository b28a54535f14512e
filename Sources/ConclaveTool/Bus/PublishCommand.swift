import ConclaveBus

/// `conclave bus publish`: one payload from an option or standard input, or one a line.
enum PublishCommand: Command {
  private static let sender = Option(
    "sender", short: "s", value: "NAME", isRequired: true, "who says it, for instance task-3")
  private static let type = Option(
    "type", short: "t", value: "TYPE", isRequired: true,
    "what kind of message it is, for instance board.discovery")
  private static let payload = Option(
    "payload", short: "p", value: "JSON", "the payload; without it, standard input is read")
  private static let text = Option(
    "text", "the payload is plain text: wrap it as {\"text\": ...}")
  private static let key = Option(
    "idempotency-key", value: "KEY",
    "publish only if no message with this key was published on the topic within 10 minutes; "
      + "needs --transport file or mirror")
  private static let lines = Option(
    "lines", "standard input holds one payload a line; each is published as soon as it is read")

  static let usage = Usage(
    "bus publish", "publish messages on a topic",
    details: """
      A payload is one JSON value and is carried byte for byte, without the white
      space around it; of text the line feeds at the end are left out. A topic is
      segments of A-Z a-z 0-9 _ - joined by dots.

      With --lines, empty lines are skipped (with --text they are messages, too).
      At the first line that is not JSON, or too large, the command ends with exit
      code 2: what came before it is published, nothing after it is.

      With --idempotency-key a command may be repeated until it succeeds: whatever
      became of the attempts before, the message is published once. A repetition
      succeeds as the first did.

      With --durability mirrored or synced a message that is acknowledged is in its
      topic's file, or on the disk. Exit code 6 says that it is on the bus, but that
      this could not be promised in time; or, with --when-failing fail, that nothing
      was published, since the mirror cannot write.

      Prints nothing, or with --json {"published":N}. Ended by SIGINT or SIGTERM,
      --lines says on standard error how many were published; they stay. With
      --durability mirrored or synced that is how many are known to be so, and those
      on the bus that are not yet are counted apart, as not confirmed: with --json
      {"published":N,"unconfirmed":M}.
      """,
    operands: [Operand("TOPIC", "where to publish, for instance build.done")],
    options: [
      sender, type, payload, text, lines, key, .durability, .whenFailing, .patience, .transport,
    ] + Option.place,
    examples: [
      Example(
        "say one thing",
        "conclave bus publish build.done --sender ci --type result --payload '{\"ok\":true}'"),
      Example(
        "every line of a log, as it is written",
        "tail -f app.log | conclave bus publish log.app --sender app --type line --text --lines"),
      Example(
        "say it once, however often this is run",
        "conclave bus publish deploy --transport file -s ci -t done -p 7 "
          + "--idempotency-key build-7"),
      Example(
        "say it for good",
        "conclave bus publish orders -s shop -t order -p 7 --durability synced"),
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let topic = try Topic(arguments.operands[0])
    let sender = arguments.required(sender)
    let type = arguments.required(type)
    if arguments.has(lines) {
      guard !arguments.has(payload) else {
        throw usageError("--payload and --lines exclude each other", hint: "leave one of them out")
      }
      guard !arguments.has(key) else {
        throw usageError(
          "--idempotency-key and --lines exclude each other", hint: "leave one of them out")
      }
      hintAtTerminal(console, "type one payload a line; Ctrl-D ends")
      let bus = try openBus(arguments, console)
      defer { bus.close() }
      return try publishLines(
        LinePublisher(
          bus.publisher(topic: topic, sender: sender, type: type),
          PayloadForm(asText: arguments.has(text)), promises: promises(bus, arguments)), bus,
        console)
    }
    // The payload first: what cannot be published must not make a bus.
    let payload = try onePayload(arguments, console)
    let key = try arguments.text(key).map { text throws(BusError) in try IdempotencyKey(text) }
    let bus = try openBus(arguments, console)
    defer { bus.close() }
    if let key {
      try bus.publish(
        Message(type: type, sender: sender, payload: payload, idempotencyKey: key), to: topic)
    } else {
      try bus.publisher(topic: topic, sender: sender, type: type).publish(payload)
    }
    try sayPublished(1, console)
    return .success
  }

  private static func openBus(
    _ arguments: Arguments, _ console: Console
  ) throws -> any MessageBus {
    try arguments.openBusForPublishing(console, arguments.failureSettings(BusSettings()))
  }

  /// Whether what is on the bus may still not be what `--durability` asks for.
  private static func promises(
    _ bus: any MessageBus, _ arguments: Arguments
  ) throws -> Bool {
    try bus is MirroredBus && arguments.word(.durability, of: Durability.self) ?? .ring > .ring
  }

  private static func sayPublished(
    _ count: Int, unconfirmed: Int? = nil, _ console: Console
  ) throws {
    guard console.json else { return }
    var object = JSONObject()
    object.add("published", count)
    if let unconfirmed { object.add("unconfirmed", unconfirmed) }
    try console.output.write(object.text + "\n")
  }

  /// Until the end of standard input or a signal: what was published by then stays.
  private static func publishLines(
    _ publisher: LinePublisher, _ bus: any MessageBus, _ console: Console
  ) throws -> ExitCode {
    var publisher = publisher
    let wakeup = Wakeup()
    let interruption = try Interruption.watch(output: false) {
      wakeup.signal()
      // Whoever waits for a subscriber waits no longer.
      bus.close()
    }
    var input = Input(interruption: wakeup.descriptor)
    do throws(BusError) {
      try publisher.publishAll(of: &input)
    } catch {
      let isOurs = error.code == .closed && interruption.exitCode != nil
      guard isOurs else {
        throw ToolError(error).with(
          published: publisher.published,
          unconfirmed: publisher.promises ? publisher.unconfirmed : nil)
      }
    }
    interruption.waitForEnd()
    try sayPublished(
      publisher.published, unconfirmed: publisher.promises ? publisher.unconfirmed : nil, console)
    guard let exit = interruption.exitCode else { return .success }
    if !console.json {
      let rest = publisher.unconfirmed > 0 ? ", \(publisher.unconfirmed) not confirmed" : ""
      console.notes.say("conclave: published \(publisher.published)\(rest)")
    }
    return exit
  }

  /// The payload of the option or of the whole standard input.
  private static func onePayload(
    _ arguments: Arguments, _ console: Console
  ) throws(BusError) -> RawJSON {
    if let given = arguments.text(payload), given != "-" {
      return try PayloadForm(asText: arguments.has(text)).payload(Array(given.utf8))
    }
    hintAtTerminal(console, "type the payload; Ctrl-D ends it")
    var input = Input()
    return try PayloadForm(asText: arguments.has(text)).payload(wholeInput: input.readAll())
  }

  private static func hintAtTerminal(_ console: Console, _ hint: String) {
    if Input.isTerminal, !console.json { console.notes.say("conclave: \(hint)") }
  }
}
