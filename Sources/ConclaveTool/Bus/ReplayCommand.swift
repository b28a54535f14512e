import ConclaveBus
import Glibc

/// `conclave bus replay`: a stretch of history out of the topic files, printed or published anew.
enum ReplayCommand: Command {
  private static let from = Option(
    "from", value: "beginning|ID|TIME",
    "where to begin: with the first message (the default), behind the message with this id, or "
      + "with the first of this time or later")
  private static let end = Option(
    "to", value: "ID|TIME",
    "where to end: with the message with this id, or the last of this time or earlier; by default "
      + "where the files end when the command begins")
  private static let topic = Option(
    "topic", value: "TOPIC", "only this topic, without those below it")
  private static let speed = Option(
    "speed", value: "X|max",
    "1 for the pace at which the messages were published, 2 for twice as fast; as fast as possible "
      + "by default")
  private static let republish = Option(
    "republish", "publish the messages anew instead of printing them")
  private static let prefix = Option(
    "prefix", value: "TOPIC", "with --republish, put this and a dot before each topic")

  private static let transport = Option(
    "transport", value: Option.transport.value, environment: Option.transport.environment,
    "with --republish, where to; mirror by default")

  static let usage = Usage(
    "bus replay", "print a stretch of history, or publish it anew",
    details: """
      Reads the topic files, which --transport file and mirror write, and bus mirror.
      Messages come in their order on the bus, one JSON object a line as from bus
      subscribe; what is published meanwhile is not among them.

      With --republish each message is published again, as a new one: sender, type,
      payload and topic are the same, or with --prefix below another one; id, number
      and time are new. Ends by saying how many there were: on standard error, or
      with --json as {"republished":N}.

      Times are written like 2026-11-21T09:05:00Z, or -10m for ten minutes ago. Ends
      with exit code 3 when there are no topic files, or no message with such an id.
      """,
    operands: [
      Operand("PREFIX", isRequired: false, "a topic, with all below it; all without it")
    ],
    options: [
      from, end, topic, speed, republish, prefix, .durability, transport,
    ] + Option.place,
    examples: [
      Example("what was said in the last ten minutes", "conclave bus replay --from -10m"),
      Example(
        "once more, twice as fast, beside the original",
        "conclave bus replay build --republish --prefix again --speed 2"),
    ])

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let plan = try plan(arguments)
    let directory = try arguments.busDirectory(create: false)
    try awaitMirror(of: directory)
    let notes = DeliveryNotes(notes: console.notes)
    guard try !FileBus.status(of: directory).isEmpty else {
      try notes.warnOfUnusableFiles(in: directory)
      throw BusError(
        .notFound, "the bus in \(directory.path) has no topic files",
        hint: "publish with --transport mirror or file, or run conclave bus mirror meanwhile")
    }
    let history = try History(directory, plan, notes)
    let wakeup = Wakeup()
    guard arguments.has(republish) else {
      let interruption = try Interruption.watch(output: true) { wakeup.signal() }
      var printer = HistoryPrinter(output: console.output)
      try Replay(history, notes, wakeup).run(speed: plan.speed, to: &printer)
      return interruption.exitCode ?? .success
    }
    return try republish(arguments, console, Replay(history, notes, wakeup), plan)
  }

  private static func republish(
    _ arguments: Arguments, _ console: Console, _ replay: Replay, _ plan: HistoryPlan
  ) throws -> ExitCode {
    let prefix = try arguments.text(prefix).map { text throws(BusError) in try Topic(text) }
    let bus = try arguments.openBusForPublishing(console, standard: .mirror)
    defer { bus.close() }
    let wakeup = replay.wakeup
    let interruption = try Interruption.watch(output: false) {
      wakeup.signal()
      // Whoever waits for a subscriber waits no longer.
      bus.close()
    }
    var publisher = HistoryPublisher(bus, prefix: prefix, console.notes)
    do {
      try replay.run(speed: plan.speed, to: &publisher)
    } catch {
      publisher.line.clear()
      let isOurs = (error as? BusError)?.code == .closed && interruption.exitCode != nil
      guard isOurs else { throw ToolError(any: error).with(published: publisher.published) }
    }
    publisher.line.clear()
    interruption.waitForEnd()
    if console.json {
      try console.output.write("{\"republished\":\(publisher.published)}\n")
    } else {
      console.notes.say("conclave: republished \(publisher.published)")
    }
    return interruption.exitCode ?? .success
  }

  /// What was published by now is history, too, though it may be on its way into the files still.
  private static func awaitMirror(of directory: BusDirectory) throws(BusError) {
    let deadline = ContinuousClock.now + .seconds(2)
    var end: UInt64?
    while ContinuousClock.now < deadline {
      guard let segment = try SharedMemoryBus.status(of: directory), let mirror = segment.mirror,
        mirror.process != nil, !mirror.isFailing, mirror.mirrored < end ?? segment.position
      else { return }
      end = end ?? segment.position
      usleep(1000)
    }
  }

  // MARK: The options

  private static func plan(_ arguments: Arguments) throws -> HistoryPlan {
    let name = arguments.text(topic)
    guard name == nil || arguments.operands.isEmpty else {
      throw usageError(
        "--topic and a prefix exclude each other", hint: "leave one of them out")
    }
    guard arguments.has(republish) || unneeded(arguments) == nil else {
      throw usageError(
        "--\(unneeded(arguments) ?? "") means nothing without --republish", hint: "add --republish")
    }
    var plan = HistoryPlan(prefix: try TopicPrefix(arguments.operands.first ?? ""))
    if let name {
      plan.topic = try Topic(name)
      plan.prefix = try TopicPrefix(name)
    }
    plan.start = try start(arguments)
    plan.end = try arguments.value(end, form: Moment.form) { Moment($0) }
    plan.speed = try speed(arguments)
    return plan
  }

  /// An option that is given and says how to publish.
  private static func unneeded(_ arguments: Arguments) -> String? {
    [prefix, .durability, transport].first { arguments.has($0) }?.long
  }

  private static func start(
    _ arguments: Arguments
  ) throws(ToolError) -> SubscriptionOptions.Start {
    try arguments.value(from, form: "beginning, \(Moment.form)") { text in
      text == "beginning" ? .beginning : Moment(text).map(\.start)
    } ?? .beginning
  }

  /// nil for as fast as possible.
  private static func speed(_ arguments: Arguments) throws(ToolError) -> Double? {
    let speed = try arguments.value(speed, form: "max, or a number such as 1 or 0.5") { text in
      text == "max" ? .infinity : Double(text).flatMap { $0 > 0 && $0.isFinite ? $0 : nil }
    }
    return speed == .infinity ? nil : speed
  }
}
