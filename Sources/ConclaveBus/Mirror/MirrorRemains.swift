import Glibc

/// What mirrors keep in a bus directory beside the topic files.
enum MirrorRemains {
  /// The lock last: it says whose the others are.
  static let names = [
    MirrorChains.name, MirrorBase.name + ".new", MirrorBase.name, MirrorLock.name,
  ]

  static func exist(in directory: OwnedDescriptor) throws(BusError) -> Bool {
    for name in names where try TopicFile.status(of: name, in: directory) != nil { return true }
    return false
  }

  /// Removes them, with the topic files; but nothing while the segment is there that they are of:
  /// it may hold the ends of large messages whose beginnings they have. Nobody may use them.
  static func remove(in directory: OwnedDescriptor) throws(BusError) {
    if let segment = MirrorLock.holder(in: directory)?.segment {
      guard unsafe access(segment, F_OK) != 0, errno == ENOENT else { return }
    }
    for name in names {
      guard let status = try TopicFile.status(of: name, in: directory),
        TopicFile.unsuitable(status, in: directory.access) == nil
      else { continue }
      guard unsafe unlinkat(directory.number, name, 0) == 0 || errno == ENOENT else {
        throw .system("remove", name)
      }
    }
  }
}
