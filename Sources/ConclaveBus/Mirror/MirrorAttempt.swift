import SharedRing

/// How much was given up, and said.
struct MirrorLosses {
  private var total: UInt64 = 0
  private var said: UInt64 = 0

  /// - Returns: how many more to tell of; nil: not now, which is said when there are twice as many.
  mutating func add(_ count: Int) -> UInt64? {
    total = total.addingSaturating(UInt64(count))
    return total >= said.addingSaturating(said) ? rest() : nil
  }

  /// How many were not told of; nil: none.
  mutating func rest() -> UInt64? {
    defer { said = total }
    return total > said ? total - said : nil
  }
}

extension Mirror {
  /// Whether everything that was read is written and committed, and nothing failed.
  var isInOrder: Bool {
    intake.failing.isEmpty && !intake.isHolding && !chainsFailure.isFailing
      && !placeFailure.isFailing
  }

  private var failures: [MirrorFailure] {
    [chainsFailure, placeFailure].filter(\.isFailing) + intake.failing.map(\.failure)
  }

  /// When to try again what has failed (CLOCK_MONOTONIC nanoseconds).
  var nextAttempt: UInt64 { failures.map(\.nextAttempt).min() ?? .max }

  /// Whether something could not be written because somebody else has a lock.
  var isLockedOut: Bool { failures.contains { $0.code == .busy } }

  /// There may be no later attempt.
  func hasten() {
    for topic in intake.failing { topic.hasten() }
    chainsFailure.hasten()
    placeFailure.hasten()
  }

  private var isAttemptDue: Bool {
    intake.failing.contains { $0.failure.isDue } || chainsFailure.isFailing && chainsFailure.isDue
      || placeFailure.isFailing && placeFailure.isDue
  }

  /// Writes what is at hand, tries again what has failed, and commits once nothing is left: what
  /// cannot be written is held in the ring as long as there is room, however long it takes.
  ///
  /// - Parameter read: how much has been read since the last time.
  /// - Returns: whether there was anything to do.
  func settle(afterReading read: Int) -> Bool {
    guard read > 0 || isAttemptDue else { return false }
    let isHere = isInPlace()
    if isHere { intake.write(adding: &written) { say($0) } }
    let isGivenUp =
      intake.isHolding && (options.givesUp || intake.mayBeGivenUp) && ring.isPressed
    if isGivenUp { giveUp() }
    if isHere && !intake.isHolding || isGivenUp { commitAll() }
    sayTrouble()
    return true
  }

  private func commitAll() {
    guard committed < ring.position || chainsFailure.isFailing else { return }
    if commit(at: ring.position, chains: ring.openChains) { ring.commit() }
  }

  /// Publishers need the room of what is held, and may have it. Exactly this will not be in the
  /// files.
  private func giveUp() {
    let positions = intake.giveUp().map { $0 &- intake.base }
    noteSkipped(positions.map { $0..<$0.addingSaturating(1) })
    if let count = losses.add(positions.count) { sayGivenUp(count) }
  }

  private func sayGivenUp(_ count: UInt64) {
    options.onWarning?(
      .unmirrored(count: count, reason: "they could not be written, and publishers needed room"))
  }

  /// Tells of what was given up and not told of yet.
  func sayRest() {
    if let count = losses.rest() { sayGivenUp(count) }
  }

  // MARK: Trouble

  /// Whether the directory is where it belongs: nothing is written into one that is not.
  private func isInPlace() -> Bool {
    guard placeFailure.isDue else { return false }
    do throws(BusError) {
      try place.check()
      if placeFailure.isFailing { placeFailure.recover() }
      return true
    } catch {
      if placeFailure.note(error.code) { say(error) }
      return false
    }
  }

  /// Says when the directory is gone, also while there is nothing to write.
  func noticePlace() {
    guard !placeFailure.isFailing else { return }
    _ = isInPlace()
    sayTrouble()
  }

  func say(_ error: BusError) { options.onWarning?(.mirrorFailing(reason: error.message)) }

  /// What the mirror before this one could not write is tried first: nobody may bring anything to
  /// try, since publishers that are to fail do so as long as the board says that there is trouble.
  func inheritTrouble() {
    guard let trouble = saidTrouble else { return }
    let code = BusError.Code(number: trouble.code) ?? .system
    let history = try? TopicHistory(in: intake.bus.shared.directory)
    for topic in history?.topics.keys.map({ $0 }) ?? []
    where trouble.subject == 0 || trouble.subject == topic.subject {
      intake.inherit(code, topic)
    }
    // It may be a file that could not even be made.
    if intake.failing.isEmpty || trouble.subject == 0 {
      chainsFailure.inherit(code)
      mustMakeFiles = true
    }
  }

  /// Says on the board what cannot be written, when that has changed.
  private func sayTrouble() {
    let trouble = trouble
    guard trouble != saidTrouble else { return }
    saidTrouble = trouble
    board.setTrouble(trouble)
    guard trouble == nil else { return }
    sayRest()
    options.onWarning?(.mirrorRecovered)
  }

  private var trouble: RingTrouble? {
    if let code = placeFailure.code ?? chainsFailure.code {
      return RingTrouble(code: code.number, subject: 0)
    }
    let troubled = intake.failing.filter { $0.failure.isTrouble }
    guard let first = troubled.first, let code = first.failure.code else { return nil }
    let subject = troubled.count == 1 ? first.subject : 0
    return RingTrouble(code: code.number, subject: subject)
  }
}
