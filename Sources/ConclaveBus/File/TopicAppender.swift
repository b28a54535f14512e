import Glibc
import SharedRing
import Synchronization

/// Appends to one topic's file for one ``FileBus``. Safe from any thread.
///
/// Order: numbers are taken and lines are made under this object's mutex, before the file's lock,
/// so that other processes wait for a write and not for the making of JSON. Each sender's lines
/// still reach the file in the order of their numbers, because the mutex is held until they are
/// there. Only the time is filled in under the lock: so times rise along the file, and files can be
/// merged by them.
final class TopicAppender: Sendable {
  let topic: Topic
  let shared: FileBusShared
  let fileName: String
  /// How long the file must be to be rotated before the next append.
  let rotationLimit: UInt64
  let state: Lock<State>

  /// What one publisher at a time works on.
  struct State: ~Copyable {
    var batch = LineBatch()
    /// The number that each sender's next message gets, and where to find it by the sender's name.
    var nextSeq: [UInt64] = []
    var senders: [String: Int] = [:]
    var templates: [StreamName: EnvelopeTemplate] = [:]
    var file: OpenFile?
    /// The file before that, if not all that was appended to it is on the disk yet.
    var retired: OwnedDescriptor?
    /// Set once an fsync has failed: what it should have made durable may be lost, and another
    /// fsync would not say so.
    var syncFailure: BusError?
  }

  struct StreamName: Hashable {
    var sender: String
    var type: String
  }

  struct OpenFile {
    var descriptor: OwnedDescriptor
    var identity: TopicFile.Identity
    /// Whether a power cut would not take the file's name.
    var isNameSynced = false
    /// The file's length after this object's last append; nil when the end must be looked at.
    var knownEnd: UInt64?
    /// Whether something was appended that was not forced to the disk.
    var isDirty = false
    /// How long the file must be for the next attempt to rotate it.
    var rotateAt: UInt64
  }

  init(topic: Topic, shared: FileBusShared) {
    self.topic = topic
    self.shared = shared
    fileName = TopicFileName(topic).text
    rotationLimit = shared.options.rotationLimit(for: topic)
    state = Lock(State())
  }

  /// Where the counter of `sender` is; for ``append(wait:makeLines:)``.
  func index(of sender: String) -> Int {
    state.withLock { $0.index(of: sender) }
  }

  /// Appends the lines that `makeLines` puts into the batch: all with one lock and one write.
  ///
  /// - Returns: how many were appended; 0 instead of all with ``PublishWait/never`` when the lock
  ///   stays taken.
  func append(
    wait: PublishWait, makeLines: (inout State) throws(BusError) -> Void
  ) throws(PublishFailure) -> Int {
    guard let outcome = withState(wait, { state in Self.run(self, &state, wait, makeLines) })
    else { return 0 }
    if let cause = outcome.cause { throw PublishFailure(cause, published: outcome.published) }
    return outcome.published
  }

  /// Appends lines that were made and numbered elsewhere, and takes those that are in the file out
  /// of the batch: all with one lock and one write. Waits for the lock only a moment.
  ///
  /// - Returns: how many were appended, and why not all.
  func append(prepared batch: inout LineBatch) -> Outcome {
    state.withLock { state in
      swap(&state.batch, &batch)
      defer { swap(&state.batch, &batch) }
      do throws(BusError) {
        guard state.batch.count > 0 else { return Outcome(published: 0) }
        guard let file = try lockedFile(&state, .never) else { throw lockKept(&state) }
        let outcome = write(&state, to: file)
        state.batch.removeFirst(outcome.published)
        return outcome
      } catch { return Outcome(published: 0, cause: error) }
    }
  }

  /// Why there was no lock for a mirror, which waits only a moment, but comes again.
  func lockKept(_ state: inout State) -> BusError {
    guard let file = state.file else { return .system("lock", fileName, errno: EWOULDBLOCK) }
    return FileLockHolder.busy(file.descriptor, MirrorFailure.longestLock)
  }

  struct Outcome: Sendable {
    var published: Int
    var cause: BusError?
  }

  private static func run(
    _ appender: TopicAppender, _ state: inout State, _ wait: PublishWait,
    _ makeLines: (inout State) throws(BusError) -> Void
  ) -> Outcome {
    state.batch.removeAll()
    do throws(BusError) {
      if let failure = state.syncFailure { throw failure }
      try makeLines(&state)
      guard state.batch.count > 0 else { return Outcome(published: 0) }
      guard let file = try appender.lockedFile(&state, wait) else {
        state.takeBackNumbers(from: 0)
        return Outcome(published: 0)
      }
      let outcome = appender.write(&state, to: file)
      state.takeBackNumbers(from: outcome.published)
      return outcome
    } catch {
      state.takeBackNumbers(from: 0)
      return Outcome(published: 0, cause: error)
    }
  }

  /// With ``PublishWait/never`` nil when another thread stays in the way.
  private func withState(
    _ wait: PublishWait, _ body: (inout State) -> Outcome
  ) -> Outcome? {
    guard wait == .never else { return state.withLock { body(&$0) } }
    let deadline = ContinuousClock.now.advanced(by: .milliseconds(2))
    while true {
      if let outcome = state.withLockIfAvailable({ body(&$0) }) { return outcome }
      guard ContinuousClock.now < deadline else { return nil }
      sched_yield()
    }
  }

  // MARK: The file and its lock

  /// The file that the topic's name stands for, with its lock held, and its length.
  func lockedFile(
    _ state: inout State, _ wait: PublishWait
  ) throws(BusError) -> (OwnedDescriptor, UInt64)? {
    // Each round means that somebody replaced the file meanwhile; nobody does that for ever.
    for _ in 0..<1000 {
      let file = try openFile(&state)
      guard
        try FileLock.exclusive(
          file.descriptor, wait: wait, patience: shared.options.lockPatience)
      else { return nil }
      do throws(BusError) {
        try shared.checkOpen()
        if let look = try TopicFile.look(at: fileName, in: shared.directory),
          look.identity == file.identity
        {
          if look.size < file.rotateAt { return (file.descriptor, look.size) }
          if let size = try rotate(&state, (file.descriptor, look.size)) {
            return (file.descriptor, size)
          }
        }
      } catch {
        _ = file.descriptor.lock(LOCK_UN)
        throw error
      }
      _ = file.descriptor.lock(LOCK_UN)
      retireFile(&state)
    }
    throw BusError(
      .busy, "\(quotedForError(fileName)) is being replaced again and again",
      hint: "find out who renames or removes it")
  }

  private func openFile(_ state: inout State) throws(BusError) -> OpenFile {
    if let file = state.file { return file }
    let (descriptor, status) = try TopicFile.open(
      fileName, in: shared.directory, flags: O_RDWR | O_APPEND, create: true)
    // A new file's name must survive a power cut as well, whoever made it.
    if shared.options.syncPolicy != .never, fsync(shared.directory.number) != 0 {
      throw .system("sync", fileName)
    }
    let file = OpenFile(
      descriptor: descriptor, identity: TopicFile.Identity(status),
      isNameSynced: shared.options.syncPolicy != .never, rotateAt: rotationLimit)
    state.file = file
    return file
  }
}
