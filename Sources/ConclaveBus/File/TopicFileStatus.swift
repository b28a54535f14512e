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

/// What bears a topic file's name and is none: the bus leaves it alone.
public struct UnusableTopicFile: Hashable, Sendable {
  /// Absolute.
  public var path: String
  /// Why it cannot be used, in words: "it is a symbolic link, not a regular file".
  public var reason: String
}

extension FileBus {
  /// What in `directory` bears a topic file's name but cannot be used as one, sorted by path.
  ///
  /// - Throws: `notFound`, `permissionDenied`, `system`.
  public static func unusableFiles(
    of directory: BusDirectory
  ) throws(BusError) -> [UnusableTopicFile] {
    let descriptor = OwnedDescriptor(try directory.open())
    return try TopicFile.names(in: descriptor).compactMap { name, _ in
      TopicFile.flaw(of: name, in: descriptor).map {
        UnusableTopicFile(path: "\(directory.path)/\(name)", reason: $0)
      }
    }.sorted { $0.path < $1.path }
  }

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

  /// Removes the topic files in `directory`, what is remembered of their idempotency keys, and the
  /// durable subscriptions, and nothing else; returns how many files of topics.
  ///
  /// What ``unusableFiles(of:)`` names stays.
  /// - Throws: `busy` while a ``FileBus`` is open on the directory; `permissionDenied` when there
  ///   are topic files and the directory is read-only; `notFound`, `system`.
  public static func clean(_ directory: BusDirectory) throws(BusError) -> Int {
    let descriptor = OwnedDescriptor(try directory.open())
    try checkUnused(directory)
    // Where nothing can be removed a lock's file can hardly be made, and need not be.
    let keys = try TopicFile.status(of: KeyFolder.name, in: descriptor)
    let durables = try TopicFile.status(of: DurableFolder.name, in: descriptor)
    let remembers = keys != nil || durables != nil
    if try status(of: directory).isEmpty, !remembers { return 0 }
    let lock = try FilePresence.exclude(from: descriptor, directory)
    defer { _ = lock.lock(LOCK_UN) }
    // First: a key without its message would keep the message from being published again.
    try KeyFolder.remove(in: descriptor)
    try DurableFolder.remove(in: descriptor)
    var removed = 0
    for (name, _) in try TopicFile.names(in: descriptor) {
      guard let status = try TopicFile.status(of: name, in: descriptor),
        TopicFile.unsuitable(status) == nil
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
