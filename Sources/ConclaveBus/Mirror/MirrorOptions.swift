/// How to open a ``MirroredBus``.
public struct MirrorOptions: Sendable {
  /// What publishes of this object do while the mirror cannot write their topic's file, because
  /// the disk is full or failing, or something else lies there. The mirror tries again until it
  /// can, and holds in the ring what it cannot write, whatever the policy.
  public enum FailurePolicy: Hashable, Sendable {
    /// They go on as long as the ring has room, then wait; and for what their ``Durability``
    /// promises they wait: each time at most for ``MirrorOptions/patience``.
    case block
    /// They fail at once.
    case fail
    /// They go on, and are told at once if they asked for more than ``Durability/ring``. When room
    /// gets short the mirror may give up what they have published: it is not in the files then.
    case continueUnmirrored
  }

  /// The segment, and where it lies.
  public var shared: SharedMemoryOptions
  /// How the files are written and read.
  public var file: FileBusOptions
  /// What publishes wait for that do not say themselves.
  public var durability: Durability
  /// What publishes do while the mirror cannot write. It decides nothing about what others publish,
  /// also where this process is the mirror.
  public var whenFailing: FailurePolicy
  /// Whether this process, where it is the mirror, may give up everybody's messages that cannot be
  /// written when room gets short, and not only those whose publishers say
  /// ``FailurePolicy/continueUnmirrored``. Publishers that wait for one of them are told.
  public var givesUp: Bool
  /// How long a publish waits at most for room, and for what its ``Durability`` promises.
  public var patience: Duration
  /// How long publishers of other processes wait for a successor of a mirror that was killed; then
  /// the ring goes on without one, and what it overwrites is missing in the files. Processes that
  /// open the bus as this type are successors themselves. At most a day.
  public var successionPatience: Duration
  /// The same for a mirror that has ended in order, and with nothing left to write: usually it was
  /// the last one, and nobody follows. At most a day.
  public var handOverPatience: Duration
  /// How often the mirror forces the files to the disk without being asked to; nil: never.
  public var syncInterval: Duration?
  /// Whether this process may become the mirror.
  public var isCandidate: Bool
  /// Called from the mirror's thread.
  public var onWarning: (@Sendable (BusWarning) -> Void)?

  public init(
    shared: SharedMemoryOptions = SharedMemoryOptions(), file: FileBusOptions = FileBusOptions(),
    durability: Durability = .ring, whenFailing: FailurePolicy = .block, givesUp: Bool = false,
    patience: Duration = .seconds(10), successionPatience: Duration = .seconds(5),
    handOverPatience: Duration = .seconds(1), syncInterval: Duration? = nil,
    isCandidate: Bool = true,
    onWarning: (@Sendable (BusWarning) -> Void)? = nil
  ) {
    self.shared = shared
    self.file = file
    self.durability = durability
    self.whenFailing = whenFailing
    self.givesUp = givesUp
    self.patience = patience
    self.successionPatience = successionPatience
    self.handOverPatience = handOverPatience
    self.syncInterval = syncInterval
    self.isCandidate = isCandidate
    self.onWarning = onWarning
  }
}

extension MirrorOptions {
  /// - Throws: `unsupported`.
  func check() throws(BusError) {
    try file.retention?.check()
    guard let syncInterval, syncInterval <= .zero else { return }
    throw BusError(
      .unsupported, "a mirror cannot force the files to the disk every \(syncInterval)",
      hint: "use an interval greater than 0, or none; publishers can ask for Durability.synced")
  }
}
