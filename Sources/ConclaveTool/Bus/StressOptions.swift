import ConclaveStress

/// The options of `bus stress`, and the plans that they make.
extension StressCommand {
  enum TransportChoice: String, CaseIterable {
    case shm, file, channel, all

    var transports: [StressPlan.Transport] {
      switch self {
      case .shm: [.shm]
      case .file: [.file]
      case .channel: [.channel]
      case .all: StressPlan.Transport.allCases
      }
    }
  }

  static let transport = Option(
    "transport", value: "NAME",
    "shm (default) or file, between processes; channel, between threads of one; or all of them")
  static let publishers = Option("publishers", value: "N", "how many publish; default 50")
  static let subscribers = Option(
    "subscribers", value: "N", "how many receive, each everything; default 4")
  static let messages = Option(
    "messages", value: "N", "the total over all publishers; default 1000000")
  static let payload = Option("payload", value: "BYTES", "the size of each payload; default 256")
  static let rate = Option(
    "rate", value: "N",
    "messages a second over all publishers, evenly spaced, and measure the latency; "
      + "as fast as possible by default")
  static let policy = Option(
    "policy", value: "NAME",
    "back-pressure (default): publishers wait for slow subscribers; dropping: they do not")
  static let batch = Option("batch", value: "N", "messages per publish; default 1")
  static let mirror = Option(
    "mirror", value: "NAME",
    "with shm: mirrored, a process copies everything into topic files, which are checked at the "
      + "end; synced, each publish waits for the disk as well; none is the default")
  static let quiet = Option("quiet", short: "q", "no progress line")
  static let busDirectory = Option(
    "bus-dir", value: "DIR", "use this bus and leave it; a fresh one is made and removed by default"
  )

  /// One plan for each transport.
  static func plans(_ arguments: Arguments) throws(ToolError) -> [StressPlan] {
    var plan = StressPlan()
    if let value = try count(arguments, publishers) { plan.publishers = value }
    if let value = try count(arguments, subscribers) { plan.subscribers = value }
    if let value = try count(arguments, messages) { plan.messages = value }
    if let value = try arguments.value(payload, form: "a size such as 256 or 4KiB", parseByteCount)
    {
      plan.payloadBytes = value
    }
    plan.rate = try count(arguments, rate)
    if let value = try arguments.word(policy, of: StressPlan.Policy.self) { plan.policy = value }
    if let value = try count(arguments, batch) { plan.batch = value }
    if let value = try arguments.word(mirror, of: StressPlan.Mirror.self) { plan.mirror = value }
    do throws(StressPlanError) {
      try plan.check()
    } catch {
      throw usageError(
        "option --\(error.option) is \(error.value)",
        hint: "write \(error.range.lowerBound) to \(error.range.upperBound)")
    }
    let choice = try arguments.word(transport, of: TransportChoice.self) ?? .shm
    guard plan.mirror == .none || choice == .shm else {
      throw usageError("only shared memory can be mirrored", hint: "use --transport shm")
    }
    return choice.transports.map { transport in
      var plan = plan
      plan.transport = transport
      return plan
    }
  }

  private static func count(_ arguments: Arguments, _ option: Option) throws(ToolError) -> Int? {
    try arguments.value(option, form: "a whole number") { text in
      text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        ? Int(text) : nil
    }
  }
}
