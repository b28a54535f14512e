import Glibc

/// The private folder `.durable` in a bus directory. Of each durable subscription it has a journal
/// and a file whose bytes are locks.
enum DurableFolder {
  static let name = ".durable"
  static let journalSuffix = ".journal"

  static func journal(of name: DurableName) -> String { name.text + journalSuffix }
  static func lock(of name: DurableName) -> String { name.text + ".lock" }
  /// No name has a tilde.
  static func draft(of name: DurableName) -> String { name.text + ".draft~" }

  /// A file of the folder, as errors name it.
  static func path(of file: String) -> String { "\(name)/\(file)" }

  /// Opens the folder, and makes it (mode 0700) if need be.
  ///
  /// - Throws: as ``PrivateFolder/open(_:in:)``.
  static func open(in directory: OwnedDescriptor) throws(BusError) -> OwnedDescriptor {
    try PrivateFolder.open(name, in: directory)
  }

  /// Opens a file of the folder, and makes it (mode 0600) if `create` says so.
  ///
  /// - Throws: as `TopicFile.open`; `permissionDenied` when others may read or write it.
  static func open(
    _ file: String, in folder: OwnedDescriptor, flags: Int32, create: Bool = false,
    holdsLock: Bool = false
  ) throws(BusError) -> OwnedDescriptor {
    let path = path(of: file)
    let (descriptor, status) = try TopicFile.open(
      file, in: folder, flags: flags, create: create, path: path, holdsLock: holdsLock)
    try PrivateFolder.checkPrivate(status, path, folder.access)
    return descriptor
  }

  /// The names whose journals are in the folder, rising; none where there is no folder.
  static func names(in folder: OwnedDescriptor) throws(BusError) -> [DurableName] {
    try PrivateFolder.names(in: folder).compactMap { file in
      guard file.hasSuffix(journalSuffix) else { return nil }
      return try? DurableName(String(file.dropLast(journalSuffix.utf8.count)))
    }.sorted { $0.text < $1.text }
  }

  /// Removes what is in the folder, and the folder, where they are what they should be. Nobody may
  /// use them.
  static func remove(in directory: OwnedDescriptor) throws(BusError) {
    guard try TopicFile.status(of: name, in: directory) != nil,
      let folder = try? PrivateFolder.existing(name, in: directory)
    else { return }
    for durable in try names(in: folder) {
      for file in [draft(of: durable), lock(of: durable), journal(of: durable)] {
        guard unsafe unlinkat(folder.number, file, 0) == 0 || errno == ENOENT else {
          throw .system("remove", path(of: file))
        }
      }
    }
    // What somebody else has put there keeps it: nothing of ours.
    _ = unsafe unlinkat(directory.number, name, AT_REMOVEDIR)
  }
}
