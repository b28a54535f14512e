import SharedRing

extension MirroredBus {
  /// Removes what exceeds the rules in ``MirrorOptions/file``, as
  /// ``FileBus/enforceRetention(now:)`` does, whether this process is the mirror or not. The mirror
  /// does it by itself, by its own rules, about once a second while it writes. So where several
  /// processes have rules those of each hold.
  ///
  /// - Returns, throws: as there.
  @discardableResult
  public func enforceRetention(now: Timestamp = .now()) throws(BusError) -> [RetentionResult] {
    try files.enforceRetention(now: now)
  }

  /// The same on a thread of its own, unless somebody has done so within the last second; does
  /// nothing without rules. Does not block; failures are warnings.
  public func enforceRetentionInPassing() {
    guard !shared.closing.isRaised else { return }
    files.shared.retention?.noteAppend(at: .now(), files.shared)
  }
}
