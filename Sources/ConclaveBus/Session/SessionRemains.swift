import Glibc

/// A bus directory that is to be moved aside or removed, its lock in our hands: what it leaves
/// outside of itself, and who still uses it.
struct SessionRemains {
  let directory: BusDirectory
  let segmentDirectory: String

  /// A directory that holds nothing but these holds nothing.
  private static let trifles: Set<String> = [
    ".", "..", SessionLock.name, FilePresence.name, RetentionSweep.lockName, MirrorLock.name,
    ".gitignore",
  ]

  /// What there is in the directory beside the session's own file and locks; sorted.
  static func contents(_ descriptor: OwnedDescriptor) throws(BusError) -> [String] {
    try PrivateFolder.names(in: descriptor)
      .filter { !trifles.contains($0) }.sorted()
  }

  /// Writes what the segment still holds into the files, and removes the segment.
  ///
  /// - Parameter keeping: whether the messages are wanted.
  /// - Throws: `busy` while somebody takes part, naming who; `notDurable` when the segment holds
  ///   messages that could not be written; `permissionDenied`, `noSpace`, `system`.
  func settle(keeping: Bool) throws(BusError) {
    try refuseNested()
    try FileBus.checkUnused(directory)
    if keeping { try drain() }
    _ = try SharedMemoryBus.clean(directory, in: segmentDirectory)
  }

  /// Another session's directory in this one would go with it, unasked.
  private func refuseNested() throws(BusError) {
    let descriptor = try directory.open()
    for name in try PrivateFolder.names(in: descriptor) where !name.hasPrefix(".") {
      guard let folder = try? PrivateFolder.existing(name, in: descriptor),
        try TopicFile.status(of: SessionLock.name, in: folder) != nil
      else { continue }
      let path = quotedForError(joined(directory.path, name))
      throw BusError(
        .busy, "\(path) is another session's bus directory, inside of this one",
        hint: "end that session, or remove its directory (conclave bus clean --purge-stale)")
    }
  }

  private func drain() throws(BusError) {
    guard let status = try usableStatus(), status.position > 0 else { return }
    try refuseLiving(status)
    if let mirror = status.mirror, mirror.lag == 0 { return }
    var options = MirrorOptions()
    options.shared.segmentDirectory = segmentDirectory
    try MirroredBus(directory: directory, options: options).close()
    guard let after = try usableStatus() else { return }
    let lag = after.mirror?.lag ?? after.position
    guard lag == 0 else {
      throw BusError(
        .notDurable,
        "\(lag) messages in \(after.path) could not be written to the files of the bus in "
          + quotedForError(directory.path),
        hint: "make room on that file system, or have the messages purged")
    }
  }

  private func refuseLiving(_ status: SharedMemoryStatus) throws(BusError) {
    let processes =
      status.lanes.filter(\.isLive).map(\.process)
      + status.subscribers.filter(\.isLive).map(\.process)
    guard !processes.isEmpty else { return }
    let names = ParticipantNumbers(of: status.path).names(processes)
    throw BusError(
      .busy, "somebody still takes part in the bus in \(quotedForError(directory.path))",
      hint: "end them first: process \(names)")
  }

  /// nil also for what cannot be looked into: it can be removed, though.
  private func usableStatus() throws(BusError) -> SharedMemoryStatus? {
    do throws(BusError) {
      return try SharedMemoryBus.status(of: directory, in: segmentDirectory)
    } catch {
      guard error.code == .incompatible || error.code == .corrupt else { throw error }
      return nil
    }
  }
}
