import ConclaveBus

/// Options that several commands of the group `bus` share.
extension Option {
  static let busDirectory = Option(
    "bus-dir", value: "DIR", environment: "BUS_DIR", "the bus directory")
  static let group = Option(
    "group", value: "GROUP", environment: "BUS_GROUP",
    "share the bus with the members of a group, by its name or gid: they are trusted")
  static let mode = Option(
    "mode", value: "0600|0660", environment: "BUS_MODE",
    "whether the bus is one user's (0600) or a group's (0660, the default with a group)")
  /// Which bus, and whose.
  static let place = [busDirectory, group, mode]
  static let transport = Option(
    "transport", value: "shm|file|mirror", environment: "BUS_TRANSPORT",
    "shared memory (the default), one durable file per topic, or shared memory with the files as "
      + "its mirror")
  static let durability = Option(
    "durability", value: "ring|mirrored|synced",
    "what must be true before a publish is acknowledged: the message is on the bus (the default), "
      + "in its topic's file, or on the disk; makes mirror the default transport")
  static let pollInterval = Option(
    "poll-interval", value: "TIME", environment: "BUS_POLL_INTERVAL",
    "how often files are looked at where the system cannot tell of changes; default 100ms")
  static let pollMaxInterval = Option(
    "poll-max-interval", value: "TIME", environment: "BUS_POLL_MAX_INTERVAL",
    "the same after a while without changes; default 1s")
}

extension Arguments {
  /// With whom the bus is shared.
  func busAccess() throws -> BusAccess {
    let mode = try value(.mode, form: "0600 or 0660") { text in
      [0o600, 0o660].first { String($0, radix: 8) == text.drop { $0 == "0" } }
    }
    guard let name = text(.group) else {
      guard mode != 0o660 else {
        throw usageError(
          "a bus of the mode 0660 needs a group",
          hint: "add --group GROUP, or take away --mode and BUS_MODE")
      }
      return .user
    }
    guard mode != 0o600 else {
      throw usageError(
        "the mode 0600 shares the bus with nobody, but a group is named",
        hint: "take away --group and BUS_GROUP, or use --mode 0660")
    }
    return .group(try BusAccess.groupID(of: name))
  }

  /// The bus that the options, the environment or the place name.
  func busLocation() throws -> BusLocation {
    // `text` would take the variable for the option; here it matters which one it was.
    try BusLocation.find(
      option: has(.busDirectory) ? text(.busDirectory) : nil, access: busAccess())
  }

  /// The directory of the bus; `notFound` unless it exists or may be made.
  func busDirectory(create: Bool) throws -> BusDirectory {
    let location = try busLocation()
    guard create || location.exists else {
      throw BusError(
        .notFound, "there is no bus at \(location.path)",
        hint: "see conclave bus where; the first publish or subscribe makes the bus")
    }
    return try location.openDirectory(create: create)
  }

  /// The bus itself, by the transport that was chosen; made if need be.
  ///
  /// - Parameter standard: the transport when none is chosen.
  func openBus(
    _ console: Console, _ settings: BusSettings = BusSettings(), standard: Transport = .sharedMemory
  ) throws -> any MessageBus {
    let transport = try word(.transport, of: Transport.self) ?? standard
    return try transport.open(
      busDirectory(create: !settings.isReadOnly), settings, DeliveryNotes(notes: console.notes))
  }

  /// The bus for a command that takes ``Option/durability`` as well.
  ///
  /// - Parameter settings: what else was said of the bus.
  func openBusForPublishing(
    _ console: Console, _ settings: BusSettings = BusSettings(),
    standard: Transport = .sharedMemory
  ) throws -> any MessageBus {
    let standard = settings.concernsMirror ? Transport.mirror : standard
    guard let durability = try word(.durability, of: Durability.self) else {
      return try openBus(console, settings, standard: standard)
    }
    if durability > .ring, try word(.transport, of: Transport.self) == .sharedMemory {
      throw usageError(
        "shared memory alone cannot promise \(durability.rawValue)",
        hint: "use --transport mirror, or file")
    }
    var settings = settings
    settings.durability = durability
    return try openBus(console, settings, standard: .mirror)
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
