import CShim
import Glibc

/// What `FileBus.status(of:)` sees of one topic's file from outside.
public struct TopicFileStatus: Hashable, Sendable {
  public var topic: Topic
  /// Absolute.
  public var path: String
  public var bytes: UInt64
  /// When it was last appended to.
  public var modified: Timestamp
}

extension FileBus {
  /// The topic files in `directory`, sorted by topic. Reads none of them. O(files).
  ///
  /// - Throws: `notFound`, `permissionDenied`, `system`.
  public static func status(of directory: BusDirectory) throws(BusError) -> [TopicFileStatus] {
    let descriptor = OwnedDescriptor(try directory.open())
    var found: [TopicFileStatus] = []
    for (name, topic) in try TopicFile.names(in: descriptor) {
      guard let status = try TopicFile.status(of: name, in: descriptor),
        TopicFile.unsuitable(status) == nil
      else { continue }
      let modified = status.st_mtim
      found.append(
        TopicFileStatus(
          topic: topic, path: "\(directory.path)/\(name)", bytes: UInt64(status.st_size),
          modified: Timestamp(
            nanosecondsSinceEpoch: UInt64(max(0, modified.tv_sec)) * 1_000_000_000
              + UInt64(modified.tv_nsec))))
    }
    return found.sorted { $0.topic.name < $1.topic.name }
  }

  /// Removes the topic files in `directory`, and nothing else; returns how many.
  ///
  /// What is not a regular file stays, whatever its name.
  /// - Throws: `busy` while a ``FileBus`` is open on the directory; `permissionDenied` when there
  ///   are topic files and the directory is read-only; `notFound`, `system`.
  public static func clean(_ directory: BusDirectory) throws(BusError) -> Int {
    let descriptor = OwnedDescriptor(try directory.open())
    try checkUnused(directory)
    // Where nothing can be removed a lock's file can hardly be made, and need not be.
    if try status(of: directory).isEmpty { return 0 }
    let lock = try FilePresence.exclude(from: descriptor, directory)
    defer { _ = lock.lock(LOCK_UN) }
    var removed = 0
    for (name, _) in try TopicFile.names(in: descriptor) {
      guard let status = try TopicFile.status(of: name, in: descriptor),
        status.st_mode & S_IFMT == S_IFREG
      else { continue }
      if unsafe unlinkat(descriptor.number, name, 0) == 0 {
        removed += 1
      } else if errno != ENOENT {
        throw .system("remove", "\(directory.path)/\(name)")
      }
    }
    return removed
  }
}
