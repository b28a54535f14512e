import ConclaveBus

/// Options that several commands of the group `bus` share.
extension Option {
  static let busDirectory = Option(
    "bus-dir", value: "DIR", environment: "BUS_DIR", "the bus directory")
  static let transport = Option(
    "transport", value: "shm|file", environment: "BUS_TRANSPORT",
    "shared memory (the default), or one durable file per topic")
  static let pollInterval = Option(
    "poll-interval", value: "TIME", environment: "BUS_POLL_INTERVAL",
    "how often files are looked at where the system cannot tell of changes; default 100ms")
  static let pollMaxInterval = Option(
    "poll-max-interval", value: "TIME", environment: "BUS_POLL_MAX_INTERVAL",
    "the same after a while without changes; default 1s")
}

extension Arguments {
  /// The bus that the options, the environment or the place name.
  func busLocation() throws(BusError) -> BusLocation {
    // `text` would take the variable for the option; here it matters which one it was.
    try BusLocation.find(option: has(.busDirectory) ? text(.busDirectory) : nil)
  }

  /// The directory of the bus; `notFound` unless it exists or may be made.
  func busDirectory(create: Bool) throws(BusError) -> BusDirectory {
    let location = try busLocation()
    guard create || location.exists else {
      throw BusError(
        .notFound, "there is no bus at \(location.path)",
        hint: "see conclave bus where; the first publish or subscribe makes the bus")
    }
    return try location.openDirectory(create: create)
  }

  /// The bus itself, by the transport that was chosen; made if need be.
  func openBus(
    _ console: Console, polling: PollingIntervals = PollingIntervals()
  ) throws -> any MessageBus {
    let transport = try word(.transport, of: Transport.self) ?? .sharedMemory
    return try transport.open(
      busDirectory(create: true), polling: polling, DeliveryNotes(notes: console.notes))
  }

  func pollingIntervals() throws(ToolError) -> PollingIntervals {
    var intervals = PollingIntervals()
    if let shortest = try duration(.pollInterval) { intervals.shortest = shortest }
    intervals.longest = try duration(.pollMaxInterval) ?? max(intervals.longest, intervals.shortest)
    guard intervals.shortest > .zero, intervals.shortest <= intervals.longest else {
      throw usageError(
        "the poll interval must be more than 0 and not more than the longest one",
        hint: "set both, such as BUS_POLL_INTERVAL=100ms BUS_POLL_MAX_INTERVAL=1s")
    }
    return intervals
  }
}

/// How often a transport that cannot sleep looks for messages.
struct PollingIntervals {
  var shortest = Duration.milliseconds(100)
  var longest = Duration.seconds(1)
}
