import CShim
import Glibc

/// The members of one durable subscription, as one of them sees them: the journal, the lock under
/// which it is read and written, and who lives. Used by one thread at a time.
///
/// Each member holds a lock on a byte of its own of the lock file, which the kernel gives back
/// however the process dies, and keeps while it is merely stopped.
final class DurableGroup {
  let name: DurableName
  private let file: OwnedDescriptor
  private let locks: KeyLocks
  private let journal: DurableJournal
  /// This member's byte; nil when it is none, or not any more.
  private(set) var slot: Int?

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
    let folder = try DurableFolder.open(in: directory)
    file = try DurableFolder.open(
      DurableFolder.lock(of: name), in: folder, flags: O_RDWR, create: true)
    locks = KeyLocks(file, patience: patience, use: DurableGroup.use)
    journal = DurableJournal(name, in: folder)
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
    _ = conclave_lock_release(file.number, DurableGroup.firstSlotByte + Int64(slot), 1)
  }

  /// What this member knows of the state: it was so when it last looked.
  var state: DurableState { journal.state }

  // MARK: Changing the state

  /// Runs `body` with the state as it is, and nobody else changing it.
  ///
  /// - Returns: nil only with ``PublishWait/never``: somebody else is at it.
  /// - Throws: `busy`; as ``DurableJournal/refresh()``.
  func transact<R>(
    _ wait: PublishWait, _ body: (DurableJournal) throws(BusError) -> R
  ) throws(BusError) -> R? {
    guard try locks.acquire(DurableGroup.journalLock, wait: wait) else { return nil }
    defer { locks.release(DurableGroup.journalLock) }
    guard try journal.refresh() else {
      throw BusError(.notFound, "the durable subscription \(name) was removed")
    }
    return try body(journal)
  }

  /// Becomes a member, and begins the name's log if nobody has.
  ///
  /// - Parameter first: where the name begins that nobody has used.
  /// - Returns: where to begin to read, and how many places were claimed of a log whose end is
  ///   lost.
  /// - Throws: `incompatible` when the name stands for another prefix; as ``transact(_:_:)``.
  func join(
    _ prefix: TopicPrefix, generation: String, base: UInt64,
    first: () throws(BusError) -> UInt64
  ) throws(BusError) -> (next: UInt64, lost: UInt64) {
    _ = try locks.acquire(DurableGroup.journalLock, wait: .blocking)
    defer { locks.release(DurableGroup.journalLock) }
    if try !journal.refresh() {
      let take = DurableEntry.Take(
        next: try first(), holder: nil, attempts: 0, since: 0, positions: PositionList())
      try journal.create(prefix, [.log(generation: generation, base: base), .take(take)])
    }
    try journal.check(prefix)
    let lost = journal.state.lost(by: generation, base: base)
    var entries: [DurableEntry] = []
    if journal.state.generation != generation {
      entries.append(.log(generation: generation, base: base))
    }
    if let slot { entries.append(.join(slot: slot, process: UInt32(getpid()))) }
    try journal.append(entries)
    return (journal.state.next, lost)
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
