import Glibc

/// One pass over the topics of a bus, in which what exceeds the rules is removed.
struct RetentionSweep {
  enum Mode {
    /// In passing: gives up when another process is at it, and reads no more than it must.
    case background
    /// Because somebody asked for it. Counts what it removes.
    case asked(rotatingAll: Bool)
    /// Only finds out what ``asked(rotatingAll:)`` with the same value would do.
    case dry(rotatingAll: Bool)
  }

  let shared: FileBusShared
  let rules: RetentionRules
  let now: Timestamp
  let mode: Mode

  /// By which those who remove files exclude each other, so that each file is accounted for once.
  static let lockName = ".retention.lock"

  init(_ shared: FileBusShared, _ rules: RetentionRules, now: Timestamp, mode: Mode) {
    self.shared = shared
    self.rules = rules
    self.now = now
    self.mode = mode
  }

  var isDry: Bool { if case .dry = mode { true } else { false } }
  var isBackground: Bool { if case .background = mode { true } else { false } }
  var rotatesAll: Bool {
    switch mode {
    case .background: false
    case .asked(let rotatesAll), .dry(let rotatesAll): rotatesAll
    }
  }

  /// - Returns: what was done, for each topic to which anything was, sorted by topic.
  /// - Throws: the first error, after all topics have been gone through.
  func run() throws(BusError) -> [RetentionResult] {
    guard let lock = try lock() else { return [] }
    defer { _ = lock?.lock(LOCK_UN) }
    let history = try TopicHistory(in: shared.directory)
    var (results, first) = ([RetentionResult](), BusError?.none)
    for (topic, _) in history.topics.sorted(by: { $0.key.name < $1.key.name }) {
      guard let policy = rules.policy(for: topic) else { continue }
      try shared.checkOpen()
      var topicSweep = TopicSweep(self, topic, policy)
      do throws(BusError) { try topicSweep.run() } catch { first = first ?? error }
      if !topicSweep.result.isNothing { results.append(topicSweep.result) }
    }
    if let first { throw first }
    return results
  }

  /// Whether somebody went through the topics within the last second, so that of many processes
  /// only one does so each second: the time of the lock's file says when.
  private func wasUsedLately(_ lock: OwnedDescriptor) -> Bool {
    var status = stat()
    guard unsafe fstat(lock.number, &status) == 0 else { return false }
    let last = Timestamp(status.st_mtim).nanosecondsSinceEpoch
    let now = Timestamp.now().nanosecondsSinceEpoch
    return last < now && now - last < RetentionTimer.interval
  }

  /// The lock; the inner nil when none is needed, the outer nil when somebody else has it.
  private func lock() throws(BusError) -> OwnedDescriptor?? {
    if isDry { return .some(nil) }
    let (file, _) = try TopicFile.open(
      Self.lockName, in: shared.directory, flags: O_RDWR, create: true)
    let code = file.lock(LOCK_EX | LOCK_NB)
    if code == 0 {
      if isBackground, wasUsedLately(file) { return nil }
      _ = futimens(file.number, nil)
      return file
    }
    guard code == EWOULDBLOCK else { throw .system("lock", Self.lockName, errno: code) }
    if isBackground { return nil }
    let patience = shared.options.lockPatience
    do throws(BusError) {
      _ = try FileLock.exclusive(file, wait: .blocking, patience: patience)
    } catch {
      guard error.code == .busy else { throw error }
      let holder = FileLockHolder.process(of: file).map { "process \($0)" } ?? "another process"
      throw BusError(
        .busy, "\(holder) has been removing old files for more than \(patience)",
        hint: "wait for it, or see whether it is stopped")
    }
    return file
  }
}
