/// How much a mirror has appended.
struct MirrorCount {
  var messages: UInt64 = 0
  var bytes: UInt64 = 0
}

/// Lines that the mirror has made and that are not known to be in their file, and their places.
struct MirrorLines: ~Copyable, Sendable {
  private(set) var batch = LineBatch()
  private(set) var positions: [UInt64] = []

  var isEmpty: Bool { positions.isEmpty }

  mutating func add(_ view: borrowing EnvelopeView, payload: RawSpan, position: UInt64) {
    batch.append(view, payload: payload)
    positions.append(position)
  }

  mutating func removeFirst(_ count: Int) {
    batch.removeFirst(count)
    positions.removeFirst(count)
  }

  mutating func removeAll() {
    batch.removeAll()
    positions.removeAll(keepingCapacity: true)
  }

  /// Appends them, and keeps those that could not be.
  mutating func append(by appender: TopicAppender) -> TopicAppender.Outcome {
    let outcome = appender.append(prepared: &batch)
    positions.removeFirst(outcome.published)
    return outcome
  }
}

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
  /// Whether there are lines in the file that were not synced since.
  private(set) var isDirty = false

  init(_ appender: TopicAppender) {
    self.appender = appender
    unsafe lines = .allocate(capacity: 1)
    unsafe lines.initialize(to: MirrorLines())
  }

  deinit {
    unsafe lines.deinitialize(count: 1)
    unsafe lines.deallocate()
  }

  /// Appends what is at hand and not in the file.
  ///
  /// - Parameters:
  ///   - written: is added what was appended, also when not all of it was.
  ///   - limit: no mirror before this one can have written a place from there on.
  /// - Throws: why not all of it; what was not appended is still at hand.
  func write(adding written: inout MirrorCount, below limit: UInt64) throws(BusError) {
    try leaveOutWhatIsThere(below: limit)
    guard unsafe !lines.pointee.isEmpty else { return }
    let bytes = unsafe lines.pointee.batch.count
    let places = unsafe lines.pointee.positions
    let outcome = unsafe lines.pointee.append(by: appender)
    if outcome.published > 0 {
      isDirty = true
      last = places[outcome.published - 1]
      written.messages += UInt64(outcome.published)
      written.bytes += UInt64(unsafe bytes - lines.pointee.batch.count)
    }
    if let cause = outcome.cause { throw cause }
  }

  /// Gives up what is at hand.
  func discard() { unsafe lines.pointee.removeAll() }

  /// Forces what was written to the disk.
  func synchronize() throws(BusError) {
    guard isDirty else { return }
    try appender.synchronize()
    isDirty = false
  }

  /// Begins anew with the file after a sync of it has failed: see ``TopicAppender/renew()``.
  func renew() {
    appender.renew()
    isDirty = false
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
