/// One topic's lines on their way from the ring into its file.
///
/// Exactly once: each line carries its place in the log, and places rise along the file. So the
/// last place in the file says which of the lines are there already, whoever put them there and
/// wherever that one died.
@safe
final class MirrorTopic {
  let appender: TopicAppender
  /// In plain memory, since it is touched once for each message; by the mirror's thread alone.
  let lines: UnsafeMutablePointer<MirrorLines>
  /// The last place in the file; nil before the file was looked at.
  private var last: UInt64??
  /// The places of the first and of the last line in the file that was not synced since; nil: there
  /// are none.
  private var dirty: ClosedRange<UInt64>?
  private(set) var failure = MirrorFailure()
  /// For ``MirrorIntake``: whether it is in the list of those that fail.
  var isListed = false
  private(set) lazy var subject = appender.topic.subject

  init(_ appender: TopicAppender) {
    self.appender = appender
    unsafe lines = .allocate(capacity: 1)
    unsafe lines.initialize(to: MirrorLines())
  }

  deinit {
    unsafe lines.deinitialize(count: 1)
    unsafe lines.deallocate()
  }

  var isEmpty: Bool { unsafe lines.pointee.isEmpty }
  var mayBeGivenUp: Bool { unsafe lines.pointee.mayBeGivenUp }
  var isDirty: Bool { dirty != nil }

  /// Appends what is at hand and not in the file, unless an attempt has failed just now; with
  /// nothing at hand after a failure, finds out whether something could be appended.
  ///
  /// - Parameters:
  ///   - written: is added what was appended, also when not all of it was.
  ///   - limit: no mirror before this one can have written a place from there on.
  ///   - onFailure: is told why the topic fails, once that is trouble.
  /// - Returns: whether nothing is at hand any more.
  func settle(
    adding written: inout MirrorCount, below limit: UInt64, onFailure: (BusError) -> Void
  ) -> Bool {
    guard failure.isDue else { return isEmpty }
    do throws(BusError) {
      try write(adding: &written, below: limit)
      if failure.isFailing { failure.recover() }
    } catch {
      if failure.note(error.code) { onFailure(error) }
    }
    return isEmpty
  }

  /// There may be no later attempt.
  func hasten() { failure.hasten() }

  /// Takes over what a mirror before this one has said: that the file cannot be written.
  func inherit(_ reason: BusError.Code) { failure.inherit(reason) }

  /// - Throws: why not all of it; what was not appended is still at hand.
  private func write(
    adding written: inout MirrorCount, below limit: UInt64
  ) throws(BusError) {
    try leaveOutWhatIsThere(below: limit)
    guard unsafe !lines.pointee.isEmpty else {
      return failure.isFailing ? try appender.probe() : ()
    }
    let bytes = unsafe lines.pointee.batch.count
    let places = unsafe lines.pointee.positions
    let outcome = unsafe lines.pointee.append(by: appender)
    if outcome.published > 0 {
      let end = places[outcome.published - 1]
      dirty = min(dirty?.lowerBound ?? places[0], end)...end
      last = end
      written.messages += UInt64(outcome.published)
      written.bytes += UInt64(unsafe bytes - lines.pointee.batch.count)
    }
    if let cause = outcome.cause { throw cause }
  }

  /// Gives up what is at hand.
  ///
  /// - Returns: its places.
  func giveUp() -> [UInt64] {
    defer { unsafe lines.pointee.removeAll() }
    return unsafe lines.pointee.positions
  }

  /// Forces what was written to the disk; if that fails, begins anew with the file: see
  /// ``TopicAppender/renew()``.
  ///
  /// - Returns: what may not be there.
  func synchronize() -> MirrorUnsynced? {
    guard let places = dirty else { return nil }
    dirty = nil
    do throws(BusError) { try appender.synchronize() } catch {
      appender.renew()
      return MirrorUnsynced(
        places: places.lowerBound..<places.upperBound.addingSaturating(1), subject: subject,
        reason: error.message)
    }
    return nil
  }

  private func leaveOutWhatIsThere(below limit: UInt64) throws(BusError) {
    guard !MirrorDefect.isPlanted(.writesTwice), let known = try lastPosition(below: limit) else {
      return
    }
    let there = unsafe lines.pointee.positions.prefix { $0 <= known }.count
    if there > 0 { unsafe lines.pointee.removeFirst(there) }
  }

  /// What a file of another log ends with would make new messages look as if they were there.
  private func lastPosition(below limit: UInt64) throws(BusError) -> UInt64? {
    if let last { return last }
    let found = try TopicFile.lastPosition(of: appender.topic, in: appender.shared.directory)
    if let found, found >= limit {
      throw BusError(
        .incompatible,
        "the file of the topic \"\(appender.topic)\" ends at place \(found) of a log that is not "
          + "this bus's, which has come to \(limit): move it out of the bus directory",
        hint: "the mirror goes on by itself then")
    }
    last = .some(found)
    return found
  }
}
