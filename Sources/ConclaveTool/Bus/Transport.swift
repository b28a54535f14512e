import ConclaveBus

/// The transports that connect processes, by the names that `--transport` and `BUS_TRANSPORT` take.
enum Transport: String, CaseIterable {
  case sharedMemory = "shm"
  case file
  case mirror

  /// Opens the bus in `directory`; warns on standard error.
  func open(
    _ directory: BusDirectory, _ settings: BusSettings, _ notes: DeliveryNotes
  ) throws(BusError) -> any MessageBus {
    switch self {
    case .sharedMemory:
      return try SharedMemoryBus(directory: directory) { notes.warn($0) }
    case .file:
      return try FileBus(directory: directory, options: settings.file(syncing: true))
    case .mirror:
      return try MirroredBus(directory: directory, options: settings.mirror(notes))
    }
  }
}

/// What the options and the environment say about how a bus is opened.
struct BusSettings {
  var polling = PollingIntervals()
  /// What must be true of a message before its publish returns.
  var durability = Durability.ring
  /// What happens while the mirror cannot write; nil: the library's default.
  var whenFailing: MirrorOptions.FailurePolicy?
  /// How long a publish waits for the mirror; nil: the library's default.
  var patience: Duration?
  /// Whether this process writes nothing into shared memory, and so makes no bus and is no mirror
  /// either.
  var isReadOnly = false

  /// Whether anything was said that only a mirrored bus can do.
  var concernsMirror: Bool { whenFailing != nil || patience != nil }

  /// - Parameter syncing: whether publishes themselves see to it that what is to be on the disk is
  ///   there.
  func file(syncing: Bool) -> FileBusOptions {
    FileBusOptions(
      syncPolicy: syncing && durability == .synced ? .everyPublish : .never,
      pollInterval: polling.shortest, pollMaxInterval: polling.longest)
  }

  /// For a process that takes part, and may have to be the mirror.
  func mirror(_ notes: DeliveryNotes) -> MirrorOptions {
    var options = MirrorOptions(
      file: file(syncing: false), durability: durability,
      onWarning: { warning in
        // Which of all who take part is the mirror is of no interest to those who only talk.
        if case .mirrorTaken = warning { return }
        notes.warn(warning)
      })
    if let whenFailing { options.whenFailing = whenFailing }
    if let patience { options.patience = patience }
    options.isCandidate = !isReadOnly
    return options
  }
}

/// How often a transport that cannot sleep looks for messages.
struct PollingIntervals {
  var shortest = Duration.milliseconds(100)
  var longest = Duration.seconds(1)
}
