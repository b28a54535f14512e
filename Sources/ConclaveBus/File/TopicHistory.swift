import Glibc

/// Which files each topic has, as the names in the bus directory tell.
///
/// A listing is as old as it is: files may be made, renamed and removed meanwhile, and one that is
/// renamed during the listing may be missing from it. What must be exact is looked at again by
/// name.
struct TopicHistory {
  struct Files {
    /// The numbers of the rotated files, rising: oldest first.
    var rotated: [UInt64] = []
    var hasActive = false
  }

  private(set) var topics: [Topic: Files] = [:]

  /// Reads the names alone, of all topics or of one. O(names in the directory).
  ///
  /// - Throws: `exhausted`, `system`.
  init(in directory: OwnedDescriptor, of topic: Topic? = nil) throws(BusError) {
    try TopicHistory.forEachName(in: directory) { name in
      // Most names of other topics are told apart without being taken to pieces.
      if let topic, !name.hasPrefix(topic.name) { return }
      guard let name = TopicFileName(name), topic == nil || topic == name.topic else { return }
      if let number = name.number {
        topics[name.topic, default: Files()].rotated.append(number)
      } else {
        topics[name.topic, default: Files()].hasActive = true
      }
    }
    for key in topics.keys { topics[key]?.rotated.sort() }
  }

  /// The numbers of the rotated files of one topic, rising.
  static func numbers(of topic: Topic, in directory: OwnedDescriptor) throws(BusError) -> [UInt64] {
    try TopicHistory(in: directory, of: topic).topics[topic]?.rotated ?? []
  }

  /// All names of topic files, in order: by topic, oldest first, the active one last.
  var names: [TopicFileName] {
    topics.sorted { $0.key.name < $1.key.name }.flatMap { topic, files in
      files.rotated.map { TopicFileName(topic, number: $0) }
        + (files.hasActive ? [TopicFileName(topic)] : [])
    }
  }

  private static func forEachName(
    in directory: OwnedDescriptor, _ body: (String) -> Void
  ) throws(BusError) {
    // A descriptor of its own, because reading a directory moves its descriptor's place.
    let number = unsafe openat(directory.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else {
      // Removed while we were in it: there are no names any more.
      if errno == ENOENT { return }
      throw .system("list", "the bus directory")
    }
    guard let stream = unsafe fdopendir(number) else {
      let code = errno
      close(number)
      throw .system("list", "the bus directory", errno: code)
    }
    defer { unsafe closedir(stream) }
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
          unsafe String(cString: $0)
        }
      }
      body(name)
    }
  }
}
