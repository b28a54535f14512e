extension FileBus {
  /// Removes what exceeds the rules in the options, from all topics in the bus directory.
  ///
  /// For each topic: an active file that holds much is rotated first, which is to say more than an
  /// eighth of a limit: bytes, messages, or in age; and one whose messages are all too old in any
  /// case. Then whole rotated files go, the oldest first, as long as of the next one holds:
  ///
  /// - its last message is older than `age`; or
  /// - the files behind it have at least `size` bytes together; or
  /// - the files behind it have at least `count` messages together.
  ///
  /// Subscriptions that have a file open read it to its end. The number of a topic's last rotated
  /// file is kept by an empty file when it is removed, so that no number comes again.
  ///
  /// Takes the time to look at each file, and for `count` to read each once. Blocks. Any number of
  /// processes may call it: one at a time works.
  /// - Parameter now: the time from which ages are counted.
  /// - Returns: what was done, for each topic to which anything was, sorted by topic; nothing
  ///   without rules.
  /// - Throws: `busy` when another process has been at it for ``FileBusOptions/lockPatience``;
  ///   `closed`, `forked`, `permissionDenied`, `exhausted`, `system`: the first error, after all
  ///   topics have been gone through.
  @discardableResult
  public func enforceRetention(now: Timestamp = .now()) throws(BusError) -> [RetentionResult] {
    try shared.checkOpen()
    guard let rules = shared.options.retention else { return [] }
    return try RetentionSweep(shared, rules, now: now, mode: .asked(rotatingAll: false)).run()
  }

  /// Rotates the active file of each topic that `rules` concern, unless it is empty, and removes
  /// what exceeds them, as ``enforceRetention(now:)`` does.
  ///
  /// - Returns: as there.
  /// - Throws: as there.
  @discardableResult
  public func compact(
    by rules: RetentionRules, now: Timestamp = .now()
  ) throws(BusError) -> [RetentionResult] {
    try shared.checkOpen()
    return try RetentionSweep(shared, rules, now: now, mode: .asked(rotatingAll: true)).run()
  }

  /// What ``compact(by:now:)`` would do in `directory` now. Changes and makes nothing.
  ///
  /// - Throws: `notFound`, `permissionDenied`, `exhausted`, `system`.
  public static func compaction(
    of directory: BusDirectory, by rules: RetentionRules, now: Timestamp = .now()
  ) throws(BusError) -> [RetentionResult] {
    let shared = try FileBusShared(directory, FileBusOptions())
    return try RetentionSweep(shared, rules, now: now, mode: .dry(rotatingAll: true)).run()
  }

  /// Rotates the active file of `topic`: gives it the next number, so that the next message begins
  /// a new one.
  ///
  /// - Returns: the number; nil when there is nothing in it.
  /// - Throws: `busy` when somebody has kept the topic's file locked for
  ///   ``FileBusOptions/lockPatience``; `closed`, `forked`, `incompatible`, `permissionDenied`,
  ///   `exhausted`, `system`.
  @discardableResult
  public func rotate(_ topic: Topic) throws(BusError) -> UInt64? {
    try shared.checkOpen()
    return try TopicRotation.rotate(topic, shared, patience: shared.options.lockPatience)
  }
}
