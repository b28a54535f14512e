import SharedRing

extension SharedMemoryStatus {
  /// How far the mirror is with copying the ring into the topic files.
  public struct Mirror: Hashable, Sendable {
    /// Positions that something is not true of, though the mirror has passed them.
    public struct Stretches: Hashable, Sendable {
      /// How many stretches there were.
      public var count: UInt64 = 0
      /// The last of them; nil when there was none, or while it is being written.
      public var last: Range<UInt64>?

      public init(count: UInt64 = 0, last: Range<UInt64>? = nil) {
        self.count = count
        self.last = last
      }
    }

    /// The pid of the process that is the mirror, as it announced it; nil while there is none.
    public var process: UInt32?
    /// Positions below it are in the topic files, or in one of the stretches `skipped`.
    public var mirrored: UInt64
    /// Positions below it are on the disk, or in one of the stretches.
    public var synced: UInt64
    /// How many records of the ring are not mirrored yet.
    public var lag: UInt64
    /// Messages, and bytes of the files, that mirrors have copied from this segment.
    public var messages: UInt64
    public var bytes: UInt64
    /// Whether the mirror cannot write just now.
    public var isFailing = false
    /// Why it cannot; nil when it can, or when what stands there means nothing.
    public var trouble: BusError.Code?
    /// Not in the files.
    public var skipped = Stretches()
    /// In the files, but the disk may not have them.
    public var unsynced = Stretches()
  }
}

extension SharedMemoryStatus.Subscriber {
  /// Whether it is the durable mirror, or a dead one's row that waits for a successor.
  public var isMirror: Bool { hasBackPressure && prefix == Mirror.label }
}

extension SharedMemoryStatus.Mirror {
  /// nil when the segment was never mirrored.
  init?(_ snapshot: RingSnapshot) {
    let progress = snapshot.mirror
    guard progress.base != nil else { return nil }
    let rows = snapshot.subscribers.filter {
      $0.isLive && $0.hasBackPressure && $0.label == Mirror.label
    }
    self.init(
      process: rows.first?.process, mirrored: progress.mirrored, synced: progress.synced,
      lag: snapshot.frontier - min(snapshot.frontier, progress.mirrored),
      messages: progress.messages, bytes: progress.bytes, isFailing: progress.trouble != nil,
      trouble: progress.trouble.flatMap { BusError.Code(number: $0.code) },
      skipped: Stretches(progress.skipped), unsynced: Stretches(progress.unsynced))
  }
}

extension SharedMemoryStatus.Mirror.Stretches {
  init(_ stretch: RingStretch) {
    // Odd: the last one is being written, and its limits may be of two.
    let isWhole = stretch.count > 0 && stretch.count % 2 == 0
    self.init(count: stretch.count / 2, last: isWhole ? stretch.positions : nil)
  }
}
