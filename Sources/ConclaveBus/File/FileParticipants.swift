import Glibc

extension FileBus {
  /// The pids of the processes that hold a ``FileBus`` on `directory` open, rising: found by the
  /// presence lock among what `/proc` shows of this user's processes.
  ///
  /// A best effort, for people: processes of other pid namespaces, and those that hide what they
  /// have open, are missing. O(descriptors of this user's processes). Makes nothing.
  public static func participants(of directory: BusDirectory) -> [UInt32] {
    var lock = stat()
    let path = "\(directory.path)/\(FilePresence.name)"
    guard unsafe lstat(path, &lock) == 0 else { return [] }
    let identity = TopicFile.Identity(lock)
    return names(in: "/proc").compactMap { UInt32($0) }
      .filter { ownsFile("/proc/\($0)") && holds($0, identity) }
      .sorted()
  }

  private static func holds(_ process: UInt32, _ lock: TopicFile.Identity) -> Bool {
    names(in: "/proc/\(process)/fd").contains { descriptor in
      let link = "/proc/\(process)/fd/\(descriptor)"
      // By its name first: asking a file of another kind for its status may block.
      guard target(of: link)?.hasSuffix("/\(FilePresence.name)") == true else { return false }
      var status = stat()
      guard unsafe stat(link, &status) == 0, TopicFile.Identity(status) == lock else {
        return false
      }
      // Who cleans has it open, too, but holds no lock while others do.
      return hasLock("/proc/\(process)/fdinfo/\(descriptor)")
    }
  }

  private static func hasLock(_ path: String) -> Bool {
    let number = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { return false }
    let file = OwnedDescriptor(number)
    // More than it ever holds: position, flags, mount and inode, and one lock.
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = unsafe read(file.number, &bytes, bytes.count)
    return count > 0 && String(decoding: bytes.prefix(count), as: UTF8.self).contains("FLOCK")
  }

  private static func target(of link: String) -> String? {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink(link, &bytes, bytes.count)
    guard count >= 0 else { return nil }
    return String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// The names in a directory, in no order; none when it cannot be read.
private func names(in directory: String) -> [String] {
  guard let stream = unsafe opendir(directory) else { return [] }
  defer { unsafe closedir(stream) }
  var found: [String] = []
  while let entry = unsafe readdir(stream) {
    found.append(
      unsafe withUnsafeBytes(of: &entry.pointee.d_name) { name in
        unsafe String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
      })
  }
  return found
}
