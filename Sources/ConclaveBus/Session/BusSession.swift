import Glibc
import SharedRing

/// One orchestrator's time with a bus directory of its own.
///
/// It begins on an empty directory, which is made if need be. What a session has left there whose
/// process is dead is moved into the ``SessionArchive`` first, and its shared memory is removed.
/// While the session lasts, another one on the same directory is refused. When it ends, the
/// directory is moved into the archive.
///
/// A process that is killed at any moment leaves nothing that the next session would not clear
/// away. So no signal needs to be caught for the session's sake; who catches one calls
/// ``end(_:)``, which may be called any number of times and from any thread.
///
/// Other processes use the directory as any other, by its path; they take no lock of the session,
/// but while one of them has the bus open the directory is neither moved nor removed.
public final class BusSession: Sendable {
  /// What becomes of the directory of a session that is over.
  public enum Fate: Hashable, Sendable {
    /// What the ring still holds is written into the files, and the directory is moved into the
    /// archive.
    case archive
    /// The directory is removed, with all messages.
    case purge
  }

  public let directory: BusDirectory
  /// Whose session it is: the calling process's, or that of the process whom it has joined.
  public let owner: SessionOwner
  /// Whether the session was begun here, and not only joined.
  public let isOwner: Bool
  let options: BusSessionOptions
  private let mark = ProcessMark()
  private let state: Lock<State>

  private struct State {
    /// nil for who has joined.
    var lock: SessionLock?
    var hasEnded = false
    var archived: String?
  }

  init(
    _ directory: BusDirectory, _ owner: SessionOwner, _ lock: SessionLock?,
    _ options: BusSessionOptions
  ) {
    self.directory = directory
    self.owner = owner
    self.options = options
    isOwner = lock != nil
    state = Lock(State(lock: lock))
  }

  deinit { abandon() }

  /// Begins a session on the directory at `path`, and makes it (mode 0700) if need be. Blocks.
  ///
  /// - Throws: `busy` while the process lives that has begun a session there, naming it, or others
  ///   still use what a dead one has left, naming them; `incompatible` when the directory holds
  ///   something but no session has begun there; `notDurable` when the messages that a dead session
  ///   has left in shared memory cannot be written; `permissionDenied`, also for a symbolic link
  ///   of another user; what cannot be moved aside gives `permissionDenied` or `system`;
  ///   `noSpace`, `exhausted`.
  public static func begin(
    at path: String, options: BusSessionOptions = BusSessionOptions()
  ) throws(BusError) -> BusSession {
    try SessionBeginning(path, options).begin()
  }

  /// Lists something below the directory that the caller is about to make, so that it goes with
  /// the directory when that is removed. Of a directory only what is listed itself goes.
  ///
  /// - Parameter path: relative to the directory.
  /// - Throws: `invalidName` for a path with `..` or hidden first name; `closed` after the end;
  ///   `forked`, `unsupported` for who has joined, `noSpace`, `system`.
  public func list(_ path: String) throws(BusError) {
    try mark.check()
    try state.withLock { (state) throws(BusError) in
      try check(state)
      try SessionJournal.add(path, in: try directory.open())
    }
  }

  /// Ends the session. Who has only joined leaves. Blocks; the second call does nothing.
  ///
  /// - Returns: where the directory is now; nil when it is gone, or was not the caller's to move.
  /// - Throws: `busy` while others use the bus, naming them: end them and call again, or
  ///   ``abandon()`` the directory to the next session; otherwise as ``begin(at:options:)``.
  @discardableResult
  public func end(_ fate: Fate = .archive) throws(BusError) -> String? {
    try mark.check()
    return try state.withLock { (state) throws(BusError) in
      guard !state.hasEnded, let lock = state.lock else { return state.archived }
      let ending = SessionEnding(directory, options)
      let gate = try SessionGate.enter(ending.archive.path, patience: options.patience)
      defer { _ = gate.lock(LOCK_UN) }
      state.archived = try ending.run(fate, of: owner.session)
      state.hasEnded = true
      state.lock = nil
      lock.release()
      return state.archived
    }
  }

  /// Lets go of the directory as it is. The next session there archives it.
  public func abandon() {
    // In the child of a fork, releasing would take the lock from the parent.
    guard !mark.isForked else { return }
    state.withLock { state in
      state.lock?.release()
      state.lock = nil
      state.hasEnded = true
    }
  }

  private func check(_ state: borrowing State) throws(BusError) {
    if state.hasEnded { throw BusError(.closed, "the session is over", hint: "begin another") }
    if isOwner { return }
    throw BusError(
      .unsupported, "the session is another process's (\(owner.description))",
      hint: "leave it to that process")
  }
}

/// How a session begins and ends.
public struct BusSessionOptions: Sendable {
  /// The session's name; nil: of the time and the pid. The buses of one run that have one name are
  /// archived together.
  public var name: SessionName?
  /// What becomes of what a dead session has left.
  public var stale: BusSession.Fate
  /// How many sessions the archive keeps: the newest, and at least one.
  public var kept: Int
  /// The archive; nil: ``SessionArchive/init(of:)``.
  public var archive: SessionArchive?
  /// Whether to join a session that lives, instead of being refused.
  public var joins: Bool
  /// Where the bus's segment lies.
  public var segmentDirectory: String
  /// How long to wait for others that are beginning or ending a session just now.
  public var patience: Duration

  public init(
    name: SessionName? = nil, stale: BusSession.Fate = .archive,
    kept: Int = SessionArchive.keptSessions, archive: SessionArchive? = nil, joins: Bool = false,
    segmentDirectory: String = "/dev/shm", patience: Duration = .seconds(60)
  ) {
    self.name = name
    self.stale = stale
    self.kept = kept
    self.archive = archive
    self.joins = joins
    self.segmentDirectory = segmentDirectory
    self.patience = patience
  }
}
