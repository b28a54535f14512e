import Glibc

/// How the appender leaves a file that has become too long, or that was rotated by somebody else.
extension TopicAppender {
  /// Gives the file, whose lock is held, its number. A failure is reported and holds up nobody.
  ///
  /// - Returns: nil when it was rotated; else the length of the file, which is to be appended to.
  func rotate(
    _ state: inout State, _ file: (descriptor: OwnedDescriptor, length: UInt64)
  ) throws(BusError) -> UInt64? {
    let whole = try repairedLength(state.file?.knownEnd, file)
    guard whole > 0, whole >= rotationLimit else { return whole }
    do throws(BusError) {
      // Whoever opens the next file forces both names to the disk.
      _ = try TopicRotation.rename(topic, in: shared.directory)
      return nil
    } catch {
      // Not with every append: trying costs more than appending.
      state.file?.rotateAt = whole.addingSaturating(rotationLimit)
      shared.warn(.rotationFailed(topic: topic, reason: error.description))
      return whole
    }
  }

  /// Lets go of a file that is appended to no more. What is not on the disk yet is kept in mind for
  /// the next sync: of one file, so that descriptors do not pile up where nobody ever syncs.
  func retireFile(_ state: inout State) {
    guard let file = state.file.take(), file.isDirty else { return }
    if let older = state.retired, let failure = sync(older) { state.syncFailure = failure }
    state.retired = file.descriptor
  }
}
