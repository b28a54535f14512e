/// How to open a ``MirroredBus``.
public struct MirrorOptions: Sendable {
  /// What happens while the mirror cannot write, because the disk is full or failing. It tries
  /// again until it can, whatever the policy.
  public enum FailurePolicy: Hashable, Sendable {
    /// Publishers go on as long as the ring has room for what is not in the files yet, then wait,
    /// each at most for ``MirrorOptions/patience``.
    case block
    /// Publishes of this object fail at once.
    case fail
    /// Publishers go on, and what they publish is not in the files, whether they asked for that or
    /// not: those who did are told.
    case continueUnmirrored
  }

  /// The segment, and where it lies.
  public var shared: SharedMemoryOptions
  /// How the files are written and read.
  public var file: FileBusOptions
  /// What publishes wait for that do not say themselves.
  public var durability: Durability
  /// What this process does as the mirror, and as a publisher, while the mirror cannot write.
  public var whenFailing: FailurePolicy
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
    durability: Durability = .ring, whenFailing: FailurePolicy = .block,
    patience: Duration = .seconds(10), successionPatience: Duration = .seconds(5),
    handOverPatience: Duration = .seconds(1), syncInterval: Duration? = nil,
    isCandidate: Bool = true,
    onWarning: (@Sendable (BusWarning) -> Void)? = nil
  ) {
    self.shared = shared
    self.file = file
    self.durability = durability
    self.whenFailing = whenFailing
    self.patience = patience
    self.successionPatience = successionPatience
    self.handOverPatience = handOverPatience
    self.syncInterval = syncInterval
    self.isCandidate = isCandidate
    self.onWarning = onWarning
  }
}
