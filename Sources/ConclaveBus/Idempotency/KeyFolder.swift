import Glibc

/// The private folder `.keys` in a bus directory, in which the index of idempotency keys lies.
enum KeyFolder {
  static let name = ".keys"
  static let fileName = "index"

  /// Opens the folder, and makes it (mode 0700) if need be.
  ///
  /// - Throws: as ``PrivateFolder/open(_:in:)``.
  static func open(in directory: OwnedDescriptor) throws(BusError) -> OwnedDescriptor {
    try PrivateFolder.open(name, in: directory)
  }

  /// Removes the index and the folder, where they are what they should be. Nobody may use them.
  static func remove(in directory: OwnedDescriptor) throws(BusError) {
    guard try TopicFile.status(of: name, in: directory) != nil,
      let folder = try? PrivateFolder.existing(name, in: directory)
    else { return }
    guard unsafe unlinkat(folder.number, fileName, 0) == 0 || errno == ENOENT else {
      throw .system("remove", "\(name)/\(fileName)")
    }
    // What somebody else has put there keeps it: nothing of ours.
    _ = unsafe unlinkat(directory.number, name, AT_REMOVEDIR)
  }
}
