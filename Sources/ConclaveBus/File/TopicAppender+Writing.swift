import Glibc
import SharedRing
import Synchronization

/// What happens while the file's lock is held, and after.
extension TopicAppender {
  /// Writes the batch behind the file's whole lines and gives back the lock.
  func write(
    _ state: inout State, to file: (descriptor: OwnedDescriptor, length: UInt64)
  ) -> Outcome {
    var outcome = Outcome(published: 0)
    do throws(BusError) {
      defer { _ = file.descriptor.lock(LOCK_UN) }
      let start = try repairedLength(state.file?.knownEnd, file)
      state.file?.knownEnd = nil
      let now = Timestamp.now()
      state.batch.stamp(now)
      let (written, cause) = unsafe write(state.batch.bytes, to: file.descriptor)
      let whole = state.batch.wholeLines(in: written)
      let end = start + UInt64(whole.length)
      if whole.length < written { try TornTail.cut(file.descriptor, to: end) }
      state.file?.knownEnd = end
      outcome = Outcome(published: whole.count, cause: cause)
      shared.retention?.noteAppend(at: now, shared)
    } catch { outcome.cause = outcome.cause ?? error }
    if outcome.published > 0 { syncAfterAppend(&state, file.descriptor, &outcome) }
    return outcome
  }

  /// The file's length after a torn tail, if there is one, was cut off.
  func repairedLength(
    _ knownEnd: UInt64?, _ file: (descriptor: OwnedDescriptor, length: UInt64)
  ) throws(BusError) -> UInt64 {
    // Nobody has written since this object did, and this object writes whole lines.
    if knownEnd == file.length { return file.length }
    let whole = try TornTail.lengthOfWholeLines(file.descriptor, size: file.length)
    if whole < file.length {
      try TornTail.cut(file.descriptor, to: whole)
      shared.tornTails.wrappingAdd(1, ordering: .relaxed)
    }
    return whole
  }

  /// One write, repeated only for what a short one left over.
  private func write(
    _ bytes: UnsafeRawBufferPointer, to file: OwnedDescriptor
  ) -> (written: Int, cause: BusError?) {
    var written = 0
    while written < bytes.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
      let count = unsafe Glibc.write(file.number, rest.baseAddress, rest.count)
      if count > 0 {
        written += MirrorDefect.isPlanted(.trustsShortWrites) ? rest.count : count
      } else if count < 0, errno == EINTR, MirrorDefect.isPlanted(.ignoresInterruptions) {
        written += rest.count
      } else if count < 0, errno != EINTR || MirrorDefect.isPlanted(.failsWhenInterrupted) {
        return (written, .system("append to", fileName))
      } else if count == 0 {
        return (written, .system("append to", fileName, errno: ENOSPC))
      }
    }
    return (written, nil)
  }

  // MARK: Durability

  private func syncAfterAppend(
    _ state: inout State, _ file: OwnedDescriptor, _ outcome: inout Outcome
  ) {
    switch shared.options.syncPolicy {
    case .never: state.file?.isDirty = true
    case .everyPublish:
      guard let failure = sync(file) else { break }
      state.syncFailure = failure
      outcome.cause = outcome.cause ?? failure
    case .grouped(let interval):
      state.file?.isDirty = true
      shared.syncer.noteAppend(to: self, interval: interval)
    }
  }

  func sync(_ file: OwnedDescriptor) -> BusError? {
    let isDone = fdatasync(file.number) == 0
    if isDone || MirrorDefect.isPlanted(.ignoresFailedSyncs) { return nil }
    let reason = unsafe String(cString: strerror(errno))
    return BusError(
      .system, "cannot force \(quotedForError(fileName)) to the disk: \(reason)",
      hint: "messages published lately are in the file, but a power cut may take them; "
        + "check the disk, then open the bus again")
  }

  /// Forces to the disk what was appended so far, and that the file is there. Publishers are not
  /// held up meanwhile.
  func synchronize() throws(BusError) {
    let (files, file, known) = state.withLock { state in
      state.file?.isDirty = false
      return (
        [state.retired.take(), state.file?.descriptor].compactMap { $0 }, state.file,
        state.syncFailure
      )
    }
    if let known { throw known }
    for file in files {
      guard let failure = sync(file) else { continue }
      state.withLock { $0.syncFailure = failure }
      throw failure
    }
    guard let file, !file.isNameSynced else { return }
    if fsync(shared.directory.number) != 0 { throw .system("sync", fileName) }
    state.withLock { if $0.file?.identity == file.identity { $0.file?.isNameSynced = true } }
  }

  /// Begins a new file after a failed sync: what was written before stays in doubt, what is written
  /// from here on is not. (The kernel reports a failure once, and takes the pages for written.)
  func renew() {
    // Where it cannot be rotated the same file goes on: its later pages are written all the same.
    _ = try? TopicRotation.rotate(topic, shared, patience: .seconds(1))
    state.withLock { state in
      state.file = nil
      state.retired = nil
      state.syncFailure = nil
    }
  }
}
