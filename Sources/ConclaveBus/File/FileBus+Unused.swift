import Glibc

extension FileBus {
  /// The files and folders in `directory` that ``clean(_:)`` removes beside the topic files, as
  /// paths, sorted: what is remembered of idempotency keys, durable subscriptions, removals, and by
  /// the mirror.
  ///
  /// - Throws: `notFound`, `permissionDenied`, `system`.
  public static func remains(of directory: BusDirectory) throws(BusError) -> [String] {
    let descriptor = try directory.open()
    let folders = [KeyFolder.name, DurableFolder.name]
    let files = [RetentionLedger.draftName, RetentionLedger.name] + MirrorRemains.names
    var found: [String] = []
    for name in folders where (try? PrivateFolder.existing(name, in: descriptor)) != nil {
      found.append(joined(directory.path, name))
    }
    for name in files {
      guard let status = try TopicFile.status(of: name, in: descriptor),
        TopicFile.unsuitable(status, in: descriptor.access) == nil
      else { continue }
      found.append(joined(directory.path, name))
    }
    return found.sorted()
  }

  /// Whether ``clean(_:)`` would find nobody in the way and could do its work; makes and removes
  /// nothing.
  ///
  /// - Throws: `busy` while a ``FileBus`` is open on the directory; `permissionDenied` when there
  ///   are topic files and the directory is read-only; `notFound`, `system`.
  public static func checkUnused(_ directory: BusDirectory) throws(BusError) {
    let descriptor = try directory.open()
    // The lock's file is made by the first who uses the files: without it nobody does.
    if try TopicFile.status(of: FilePresence.name, in: descriptor) != nil {
      let lock = try FilePresence.exclude(from: descriptor, directory)
      _ = lock.lock(LOCK_UN)
    }
    let isEmpty = try status(of: directory).isEmpty
    guard !isEmpty, unsafe faccessat(descriptor.number, ".", W_OK, AT_EACCESS) != 0 else { return }
    // Said before anything is removed, rather than half-way.
    let reason = unsafe String(cString: strerror(errno))
    throw BusError(
      .permissionDenied,
      "the topic files in \(quotedForError(directory.path)) cannot be removed: \(reason)",
      hint: "make the directory writable (chmod u+w), then clean again; nothing was removed")
  }
}
