import Glibc

/// Removes a session's bus directory whose segment is gone already: the bus's own files, what the
/// session's journal lists, and the directory if nothing else is in it. What somebody else has put
/// there stays, and with it the directory.
///
/// `.pid` goes last, so that who finishes what a kill has interrupted knows what it is.
enum SessionRemoval {
  /// Files in a bus directory that are nobody's messages.
  private static let small =
    [
      SessionJournal.name, FilePresence.name, RetentionSweep.lockName, TopicSweep.spareName,
      RetentionLedger.draftName,
    ] + MirrorRemains.names + [SessionLock.name]

  /// - Returns: whether the directory is gone.
  /// - Throws: `busy` while somebody has files of the bus open; `permissionDenied`, `system`.
  static func remove(_ directory: BusDirectory) throws(BusError) -> Bool {
    let descriptor = try directory.open()
    _ = try FileBus.clean(directory)
    try SessionJournal.removeListed(in: descriptor)
    try removeIgnore(in: descriptor)
    for name in small {
      guard let status = try TopicFile.status(of: name, in: descriptor),
        TopicFile.unsuitable(status, in: descriptor.access) == nil
      else { continue }
      guard unsafe unlinkat(descriptor.number, name, 0) == 0 || errno == ENOENT else {
        throw .system("remove", joined(directory.path, name))
      }
    }
    if unsafe rmdir(directory.path) == 0 { return true }
    let code = errno
    switch code {
    case ENOENT: return true
    case ENOTEMPTY, EEXIST: return false
    default: throw .system("remove", directory.path, errno: code)
    }
  }

  /// The one that ``HiddenFolder`` made, not one of the user's.
  private static func removeIgnore(in directory: OwnedDescriptor) throws(BusError) {
    let name = ".gitignore"
    guard let opened = try? TopicFile.open(name, in: directory, flags: O_RDONLY) else { return }
    var bytes = [UInt8](repeating: 0, count: HiddenFolder.everything.count + 1)
    let count = unsafe pread(opened.descriptor.number, &bytes, bytes.count, 0)
    guard count >= 0, Array(bytes.prefix(count)) == HiddenFolder.everything else { return }
    guard unsafe unlinkat(directory.number, name, 0) == 0 || errno == ENOENT else {
      throw .system("remove", name)
    }
  }
}
