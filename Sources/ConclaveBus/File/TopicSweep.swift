import CShim
import Glibc

/// Removes what exceeds one topic's policy, file by file.
struct TopicSweep {
  /// One file, as it is found at the beginning.
  private struct File {
    let name: TopicFileName
    let identity: TopicFile.Identity
    let size: UInt64
    let facts: TopicFileFacts
    /// When it was written last, where the last line does not say so.
    let modified: Timestamp
  }

  private let sweep: RetentionSweep
  private let topic: Topic
  private let policy: RetentionPolicy
  private(set) var result: RetentionResult
  private var overtaken: Set<String> = []

  init(_ sweep: RetentionSweep, _ topic: Topic, _ policy: RetentionPolicy) {
    self.sweep = sweep
    self.topic = topic
    self.policy = policy
    result = RetentionResult(topic: topic)
  }

  private var directory: OwnedDescriptor { sweep.shared.directory }

  mutating func run() throws(BusError) {
    var numbers = try TopicHistory.numbers(of: topic, in: directory)
    var active = try examine(TopicFileName(topic), number: (numbers.last ?? 0) + 1)
    if let file = active, isDue(file), try rotate() {
      result.isRotated = true
      if !sweep.isDry {
        numbers = try TopicHistory.numbers(of: topic, in: directory)
        active = try examine(TopicFileName(topic), number: (numbers.last ?? 0) + 1)
      }
    }
    var files: [File] = []
    for number in numbers {
      if let file = try examine(TopicFileName(topic, number: number), number: number) {
        files.append(file)
      }
    }
    // What would be rotated counts as if it were.
    if sweep.isDry, result.isRotated, let file = active.take() { files.append(file) }
    try remove(files, before: active, greatest: numbers.last)
    result.overtaken = overtaken.sorted()
  }

  // MARK: Rotating

  private func isDue(_ file: File) -> Bool {
    guard file.size > 0 else { return false }
    if sweep.rotatesAll { return true }
    let age = (file.facts.first ?? file.modified).age(at: sweep.now)
    return policy.isLarge(
      bytes: file.size, messages: policy.count == nil ? nil : file.facts.messages, age: age)
  }

  private func rotate() throws(BusError) -> Bool {
    if sweep.isDry { return true }
    return try TopicRotation.rotate(
      topic, sweep.shared, patience: sweep.isBackground ? nil : sweep.shared.options.lockPatience)
      != nil
  }

  // MARK: Looking

  /// Looks at a file; nil when it is gone, or cannot be used as a topic file.
  ///
  /// - Parameter number: its own, or for the active file the one that it is going to get.
  private func examine(_ name: TopicFileName, number: UInt64) throws(BusError) -> File? {
    guard let status = try TopicFile.status(of: name.text, in: directory),
      TopicFile.unsuitable(status, in: directory.access) == nil
    else { return nil }
    let (identity, size) = (TopicFile.Identity(status), UInt64(max(0, status.st_size)))
    let place = TopicFileName(topic, number: number)
    var facts = sweep.shared.facts[place, identity]
    if size > 0, try find(&facts, of: name, identity, size) {
      sweep.shared.facts[place, identity] = facts
    }
    return File(
      name: name, identity: identity, size: size, facts: facts,
      modified: Timestamp(status.st_mtim))
  }

  /// Finds out what is not known yet; false when there was nothing to find out.
  private func find(
    _ facts: inout TopicFileFacts, of name: TopicFileName, _ identity: TopicFile.Identity,
    _ size: UInt64
  ) throws(BusError) -> Bool {
    let wantsCount = (policy.count != nil || !sweep.isBackground) && facts.counted != size
    let wantsFirst = name.number == nil && policy.age != nil && facts.first == nil
    let wantsLast = name.number != nil && facts.lastSize != size
    // The active file's last message only matters when it is about to be rotated, for show.
    let wantsLastOfActive = sweep.isDry && name.number == nil
    guard wantsCount || wantsFirst || wantsLast || wantsLastOfActive else { return false }
    let opened: (descriptor: OwnedDescriptor, status: stat)
    do throws(BusError) {
      opened = try TopicFile.open(name.text, in: directory, flags: O_RDONLY)
    } catch {
      if error.code == .notFound { return false }
      throw error
    }
    guard TopicFile.Identity(opened.status) == identity else { return false }
    let examiner = TopicFileExaminer(
      file: opened.descriptor, size: size, lineLimit: sweep.shared.options.lineLimit)
    if wantsCount { try examiner.count(&facts) }
    if wantsFirst { try examiner.findFirst(&facts) }
    if wantsLast || wantsLastOfActive { try examiner.findLast(&facts) }
    return true
  }

  // MARK: Removing

  private mutating func remove(
    _ files: [File], before active: File?, greatest: UInt64?
  ) throws(BusError) {
    var bytes = files.reduce(active?.size ?? 0) { $0.addingSaturating($1.size) }
    var messages = files.reduce(active?.facts.messages ?? 0) {
      $0.addingSaturating($1.facts.messages)
    }
    var going: [File] = []
    for file in files where file.size > 0 {
      bytes = bytes > file.size ? bytes - file.size : 0
      messages = messages > file.facts.messages ? messages - file.facts.messages : 0
      guard mayGo(file, bytesBehind: bytes, messagesBehind: messages) else { break }
      going.append(file)
    }
    func isGreatest(_ file: File) -> Bool {
      file.name.number == greatest || file.name.number == nil
    }
    // What keeps a number that is not the greatest any more.
    for file in files where file.size == 0 && !isGreatest(file) && !sweep.isDry {
      _ = try unlink(file)
    }
    if !sweep.isDry, let last = going.last { try note(last) }
    for file in going { try remove(file, isGreatest: isGreatest(file)) }
  }

  /// Says that the files up to this one are about to go.
  private func note(_ last: File) throws(BusError) {
    let retired = try retired(last)
    try RetentionLedger.note(
      topic,
      RetentionLedger.Entry(
        position: retired.lastPosition, timestamp: retired.lastTimestamp ?? last.modified),
      in: directory)
  }

  private func mayGo(_ file: File, bytesBehind: UInt64, messagesBehind: UInt64) -> Bool {
    if let size = policy.size, bytesBehind >= size { return true }
    if let count = policy.count, messagesBehind >= count { return true }
    guard let limit = policy.ageNanoseconds else { return false }
    return (file.facts.last?.timestamp ?? file.modified).age(at: sweep.now) > limit
  }

  private mutating func remove(_ file: File, isGreatest: Bool) throws(BusError) {
    var losers: [String] = []
    if !sweep.isDry {
      if let ask = sweep.shared.options.retentionGuard { losers = ask(try retired(file)) }
      let isRemoved = isGreatest ? try empty(file) : try unlink(file)
      guard isRemoved else { return }
    }
    result.files += 1
    result.bytes &+= file.size
    result.messages &+= file.facts.messages
    for name in losers {
      overtaken.insert(name)
      sweep.shared.warn(.retentionOvertook(subscription: name, topic: topic))
    }
  }

  private func retired(_ file: File) throws(BusError) -> RetiredTopicFile {
    let last = file.facts.last
    var position = last?.position
    if position == nil {
      position = try TopicFilePositions.greatest(in: file.name, sweep.shared)
    }
    return RetiredTopicFile(
      topic: topic, number: file.name.number ?? 0, bytes: file.size, lastID: last?.id,
      lastTimestamp: last?.timestamp, lastPosition: position)
  }

  /// - Returns: whether it was there and is gone now.
  private func unlink(_ file: File) throws(BusError) -> Bool {
    guard try isThere(file) else { return false }
    if unsafe unlinkat(directory.number, file.name.text, 0) == 0 { return true }
    let code = errno
    if code == ENOENT { return false }
    throw .system("remove", file.name.text, errno: code)
  }

  /// Puts an empty file in the place of the topic's last rotated one, at one stroke: as long as
  /// there is a number, no lower one is given again. Nobody may rotate meanwhile, who would look
  /// for the greatest number.
  private func empty(_ file: File) throws(BusError) -> Bool {
    let patience = sweep.isBackground ? nil : sweep.shared.options.lockPatience
    let name = TopicFileName(topic)
    let replaced = try TopicRotation.withLock(topic, in: directory, patience: patience) {
      (_, _) throws(BusError) in try replace(file)
    }
    if let replaced { return replaced }
    // The lock is held by somebody else: another time. Without an active file nobody rotates.
    guard try TopicFile.look(at: name.text, in: directory) == nil else { return false }
    return try replace(file)
  }

  /// The name is only used by who has the lock of all sweeps; one may be left over from a crash.
  static let spareName = ".retention.empty"

  private func replace(_ file: File) throws(BusError) -> Bool {
    guard try isThere(file) else { return false }
    _ = unsafe unlinkat(directory.number, Self.spareName, 0)
    _ = try TopicFile.open(Self.spareName, in: directory, flags: O_WRONLY | O_EXCL, create: true)
    guard unsafe renameat(directory.number, Self.spareName, directory.number, file.name.text) == 0
    else { throw .system("remove", file.name.text) }
    return true
  }

  private func isThere(_ file: File) throws(BusError) -> Bool {
    try TopicFile.look(at: file.name.text, in: directory)?.identity == file.identity
  }
}

extension Timestamp {
  /// The time of a file.
  init(_ time: timespec) {
    self.init(
      nanosecondsSinceEpoch: UInt64(max(0, time.tv_sec)) &* 1_000_000_000
        &+ UInt64(max(0, time.tv_nsec)))
  }

  /// In nanoseconds; 0 for what lies ahead.
  fileprivate func age(at now: Timestamp) -> UInt64 {
    now > self ? now.nanosecondsSinceEpoch - nanosecondsSinceEpoch : 0
  }
}
