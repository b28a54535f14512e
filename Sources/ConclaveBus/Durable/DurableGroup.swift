import CShim
import Glibc

/// The members of one durable subscription, as one of them sees them: the journal, the lock under
/// which it is read and written, and who lives. Used by one thread at a time.
///
/// Each member holds a lock on a byte of its own of the lock file, which the kernel gives back
/// however the process dies, and keeps while it is merely stopped.
final class DurableGroup {
  let name: DurableName
  private let directory: OwnedDescriptor
  private let file: OwnedDescriptor
  private let locks: KeyLocks
  private let journal: DurableJournal
  /// This member's byte; nil when it is none, or not any more.
  private(set) var slot: Int?
  /// The segment that this member reads.
  private var generation: String?

  /// The lock under which the journal is used.
  private static let journalLock: Int64 = 0
  /// The byte of the first member's lock; far from those of ``KeyLocks``.
  static let firstSlotByte: Int64 = 1 << 40

  private static let use = KeyLocks.Use(
    what: "a durable subscription",
    holder: "another member of the durable subscription has kept its journal locked",
    advice: "it is probably stopped: let it go on (kill -CONT) or end it")

  /// - Throws: as ``DurableFolder/open(in:)``; `exhausted` when there are too many members.
  init(
    _ name: DurableName, in directory: OwnedDescriptor, patience: Duration
  ) throws(BusError) {
    self.name = name
    self.directory = directory
    let folder = try DurableFolder.open(in: directory)
    let lock = DurableFolder.lock(of: name)
    file = try DurableFolder.open(
      lock, in: folder, flags: O_RDWR, create: true, holdsLock: true)
    locks = KeyLocks(file, patience: patience, use: DurableGroup.use)
    journal = DurableJournal(
      name, in: folder, witness: DurableWitness(file: file, path: DurableFolder.path(of: lock)))
    try takeSlot()
  }

  deinit { giveSlotBack() }

  private func takeSlot() throws(BusError) {
    for slot in 0..<DurableEntry.slotCount {
      let code = conclave_lock_try(file.number, DurableGroup.firstSlotByte + Int64(slot), 1)
      if code == 0 {
        self.slot = slot
        return
      }
      guard code == EAGAIN else { throw .system("lock", DurableFolder.lock(of: name), errno: code) }
    }
    throw BusError(
      .exhausted,
      "the durable subscription \(name) has \(DurableEntry.slotCount) members already",
      hint: "end some of them")
  }

  /// Anybody may take the place now.
  func giveSlotBack() {
    guard let slot else { return }
    self.slot = nil
    file.releaseBytes(DurableGroup.firstSlotByte + Int64(slot), 1)
  }

  /// What this member knows of the state: it was so when it last looked.
  var state: DurableState { journal.state }

  // MARK: Changing the state

  /// Runs `body` with the state as it is, and nobody else changing it.
  ///
  /// - Returns: nil only with ``PublishWait/never``: somebody else is at it.
  /// - Throws: `busy`; `notFound` when the segment was replaced; as ``DurableJournal/refresh()``.
  func transact<R>(
    _ wait: PublishWait, _ body: (DurableJournal) throws(BusError) -> R
  ) throws(BusError) -> R? {
    guard try locks.acquire(DurableGroup.journalLock, wait: wait) else { return nil }
    defer { locks.release(DurableGroup.journalLock) }
    guard try journal.refresh() else {
      throw BusError(.notFound, "the durable subscription \(name) was removed")
    }
    // The places that this member knows are others' by now.
    guard journal.state.generation == generation else { throw segmentReplaced }
    return try body(journal)
  }

  private var segmentReplaced: BusError {
    BusError(
      .notFound,
      "the segment that this member of the durable subscription \(name) reads was removed, and the "
        + "log goes on in another one",
      hint: "open the bus anew and subscribe again: nothing is lost")
  }

  /// Becomes a member, and begins the name's log if nobody has.
  ///
  /// - Parameters:
  ///   - segment: that it reads.
  ///   - first: where the name begins that nobody has used.
  /// - Returns: where to begin to read, and how many places were claimed of a log whose end is
  ///   lost.
  /// - Throws: `incompatible` when the name stands for another prefix; `corrupt` when what is
  ///   remembered of segments makes no sense; as ``transact(_:_:)``.
  func join(
    _ prefix: TopicPrefix, _ segment: LogHistory.Segment,
    first: () throws(BusError) -> UInt64
  ) throws(BusError) -> (next: UInt64, lost: UInt64) {
    _ = try locks.acquire(DurableGroup.journalLock, wait: .blocking)
    defer { locks.release(DurableGroup.journalLock) }
    if try !journal.refresh() {
      let take = DurableEntry.Take(
        next: try first(), holder: nil, attempts: 0, since: 0, positions: PositionList())
      try journal.create(
        prefix, [.log(generation: segment.generation, base: segment.base), .take(take)])
    }
    try journal.check(prefix)
    var entries = try entries(to: segment)
    let claimed = journal.state.next
    generation = segment.generation
    if let slot { entries.append(.join(slot: slot, process: UInt32(getpid()))) }
    try journal.append(entries)
    return (journal.state.next, claimed - min(claimed, journal.state.next))
  }

  /// What the journal must say before it goes on in `segment`.
  private func entries(to segment: LogHistory.Segment) throws(BusError) -> [DurableEntry] {
    if journal.state.generation == segment.generation { return [] }
    let history = try MirrorBase.history(in: directory) ?? LogHistory(base: segment.base)
    guard let entries = history.entries(after: journal.state, to: segment) else {
      throw segmentReplaced
    }
    return entries
  }

  // MARK: The others

  /// The members that are gone without having said so. O(members).
  func dead(in state: DurableState) -> [Int] {
    state.members.keys.filter { other in
      other != slot
        && conclave_lock_held(file.number, DurableGroup.firstSlotByte + Int64(other), 1) == 0
    }.sorted()
  }
}
