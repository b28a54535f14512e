import CShim
import Glibc

/// What `FileBus.status(of:)` sees of one topic's files from outside.
public struct TopicFileStatus: Hashable, Sendable {
  public var topic: Topic
  /// Absolute: where the active file is, or would be after a rotation.
  public var path: String
  /// Of all files together.
  public var bytes: UInt64
  /// When any of them was last appended to.
  public var modified: Timestamp
  /// The files that there are, absolute: the rotated ones, oldest first, then the active one.
  public var files: [String]

  public init(
    topic: Topic, path: String, bytes: UInt64, modified: Timestamp, files: [String]
  ) {
    self.topic = topic
    self.path = path
    self.bytes = bytes
    self.modified = modified
    self.files = files
  }
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
    let descriptor = try directory.open()
    return try TopicHistory(in: descriptor).names.compactMap { name in
      TopicFile.flaw(of: name.text, in: descriptor).map {
        UnusableTopicFile(path: "\(directory.path)/\(name.text)", reason: $0)
      }
    }.sorted { $0.path < $1.path }
  }

  /// The topics that have files in `directory`, sorted. Reads none of the files. O(files).
  ///
  /// - Throws: `notFound`, `permissionDenied`, `system`.
  public static func status(of directory: BusDirectory) throws(BusError) -> [TopicFileStatus] {
    let descriptor = try directory.open()
    var found: [Topic: TopicFileStatus] = [:]
    for name in try TopicHistory(in: descriptor).names {
      guard let status = try TopicFile.status(of: name.text, in: descriptor),
        TopicFile.unsuitable(status, in: descriptor.access) == nil
      else { continue }
      let active = "\(directory.path)/\(TopicFileName(name.topic).text)"
      let modified = Timestamp(status.st_mtim)
      var topic =
        found[name.topic]
        ?? TopicFileStatus(
          topic: name.topic, path: active, bytes: 0, modified: modified, files: [])
      topic.bytes = topic.bytes.addingSaturating(UInt64(max(0, status.st_size)))
      topic.modified = max(topic.modified, modified)
      topic.files.append("\(directory.path)/\(name.text)")
      found[name.topic] = topic
    }
    return found.values.sorted { $0.topic.name < $1.topic.name }
  }

  /// Removes the topic files in `directory`, rotated ones too, what is remembered of their
  /// idempotency keys, the durable subscriptions, and what the mirror keeps, and nothing else;
  /// returns how many files of topics.
  ///
  /// What the mirror keeps stays as long as the segment is there that it is of: clean that first.
  /// What ``unusableFiles(of:)`` names stays.
  /// - Throws: `busy` while a ``FileBus`` is open on the directory; `permissionDenied` when there
  ///   are topic files and the directory is read-only; `notFound`, `system`.
  public static func clean(_ directory: BusDirectory) throws(BusError) -> Int {
    let descriptor = try directory.open()
    try checkUnused(directory)
    // Where nothing can be removed a lock's file can hardly be made, and need not be.
    let keys = try TopicFile.status(of: KeyFolder.name, in: descriptor)
    let durables = try TopicFile.status(of: DurableFolder.name, in: descriptor)
    let mirrors = try MirrorRemains.exist(in: descriptor)
    let removals = try TopicFile.status(of: RetentionLedger.name, in: descriptor)
    let remembers = keys != nil || durables != nil || mirrors || removals != nil
    if try status(of: directory).isEmpty, !remembers { return 0 }
    let lock = try FilePresence.exclude(from: descriptor, directory)
    defer { _ = lock.lock(LOCK_UN) }
    // First: a key without its message would keep the message from being published again.
    try KeyFolder.remove(in: descriptor)
    try DurableFolder.remove(in: descriptor)
    var removed = 0
    for name in try TopicHistory(in: descriptor).names.map(\.text) {
      guard let status = try TopicFile.status(of: name, in: descriptor),
        TopicFile.unsuitable(status, in: descriptor.access) == nil
      else { continue }
      if unsafe unlinkat(descriptor.number, name, 0) == 0 {
        removed += 1
      } else if errno != ENOENT {
        throw .system("remove", "\(directory.path)/\(name)")
      }
    }
    for name in [RetentionLedger.draftName, RetentionLedger.name]
    where unsafe unlinkat(descriptor.number, name, 0) != 0 && errno != ENOENT {
      throw .system("remove", "\(directory.path)/\(name)")
    }
    // Last, for it says where the log goes on while there are files.
    try MirrorRemains.remove(in: descriptor)
    return removed
  }
}
