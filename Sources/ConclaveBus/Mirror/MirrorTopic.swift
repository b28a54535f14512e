/// How much a mirror has appended.
struct MirrorCount {
  var messages: UInt64 = 0
  var bytes: UInt64 = 0
}

/// One topic's lines on their way from the ring into its file.
///
/// Exactly once: each line carries its place in the log, and places rise along the file. So the
/// last place in the file says which of the lines are there already, whoever put them there and
/// wherever that one died.
final class MirrorTopic {
  let appender: TopicAppender
  /// Lines that are not known to be in the file, and their places.
  private var batch = LineBatch()
  private var positions: [UInt64] = []
  /// The last place in the file; nil before the file was looked at.
  private var last: UInt64??
  /// Whether there are lines in the file that were not synced since.
  private(set) var isDirty = false

  init(_ appender: TopicAppender) { self.appender = appender }

  var isEmpty: Bool { positions.isEmpty }
  /// The lines at hand, in bytes.
  var bytes: Int { batch.count }

  func add(_ view: borrowing EnvelopeView, payload: RawSpan, position: UInt64) {
    batch.append(view, payload: payload)
    positions.append(position)
  }

  /// Appends what is at hand and not in the file.
  ///
  /// - Parameter written: is added what was appended, also when not all of it was.
  /// - Throws: why not all of it; what was not appended is still at hand.
  func write(adding written: inout MirrorCount) throws(BusError) {
    guard !isEmpty else { return }
    try leaveOutWhatIsThere()
    guard !isEmpty else { return }
    let bytes = batch.count
    let outcome = appender.append(prepared: &batch)
    if outcome.published > 0 {
      isDirty = true
      last = positions[outcome.published - 1]
      positions.removeFirst(outcome.published)
      written.messages += UInt64(outcome.published)
      written.bytes += UInt64(bytes - batch.count)
    }
    if let cause = outcome.cause { throw cause }
  }

  /// Gives up what is at hand.
  func discard() {
    batch.removeAll()
    positions = []
  }

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

  private func leaveOutWhatIsThere() throws(BusError) {
    let known = try lastPosition()
    guard let known else { return }
    let there = positions.prefix { $0 <= known }.count
    batch.removeFirst(there)
    positions.removeFirst(there)
  }

  private func lastPosition() throws(BusError) -> UInt64? {
    if let last { return last }
    let found = try TopicFile.lastPosition(of: appender.topic, in: appender.shared.directory)
    last = .some(found)
    return found
  }
}
