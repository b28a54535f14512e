import Glibc
import SharedRing
import Synchronization

/// What a ``FileBus``, its appenders and its subscriptions have in common.
final class FileBusShared: Sendable {
  let path: String
  let directory: OwnedDescriptor
  let permit: BusPermit
  let options: FileBusOptions
  let incarnation = ProcessIdentity.newIncarnation()
  let process = ProcessIdentity.pid
  let mark = ProcessMark()
  let syncer = FileSyncer()
  /// Nil without rules.
  let retention: RetentionTimer?
  /// What was found out about files that are never changed again.
  let facts = TopicFileFacts.Memory()
  let closed = Atomic<Bool>(false)
  /// How many unfinished lines of crashed publishers were cut off.
  let tornTails = Atomic<UInt64>(0)
  /// Opened with the first key: who uses none pays nothing.
  private let keys = Lock<IdempotencyIndex?>(nil)

  /// - Throws: `unsupported` for rules of retention that keep nothing; as ``BusDirectory/open()``
  ///   and ``BusPolicy/read(of:)``.
  init(_ directory: BusDirectory, _ options: FileBusOptions) throws(BusError) {
    try options.retention?.check()
    path = directory.path
    self.directory = try directory.open()
    permit = try BusPermit(directory)
    self.options = options
    retention = options.retention == nil ? nil : RetentionTimer()
  }

  func warn(_ warning: BusWarning) { options.onWarning?(warning) }

  /// - Throws: `closed`, `forked`.
  func checkOpen() throws(BusError) {
    try mark.check()
    guard !closed.load(ordering: .acquiring) else {
      throw BusError(.closed, "the bus was closed", hint: "open it again")
    }
  }

  /// - Throws: what opening the index of the idempotency keys throws.
  func keyIndex() throws(BusError) -> IdempotencyIndex {
    try keys.withLock { (keys) throws(BusError) in
      if let known = keys { return known }
      let index = try IdempotencyIndex(
        in: directory, options: options.idempotency, patience: options.lockPatience)
      keys = index
      return index
    }
  }

  /// - Throws: `messageTooLarge`.
  func checkSize(_ count: Int) throws(BusError) {
    guard count <= options.messageLimit else {
      throw .payloadTooLarge(count, limit: options.messageLimit)
    }
  }
}
