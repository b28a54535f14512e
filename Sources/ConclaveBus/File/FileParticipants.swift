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
    return SystemFiles.names(in: "/proc").compactMap { UInt32($0) }
      .filter { ownsFile("/proc/\($0)") && holds($0, identity) }
      .sorted()
  }

  private static func holds(_ process: UInt32, _ lock: TopicFile.Identity) -> Bool {
    SystemFiles.names(in: "/proc/\(process)/fd").contains { descriptor in
      let link = "/proc/\(process)/fd/\(descriptor)"
      // By its name first: asking a file of another kind for its status may block.
      guard target(of: link)?.hasSuffix("/\(FilePresence.name)") == true else { return false }
      var status = stat()
      guard unsafe stat(link, &status) == 0, TopicFile.Identity(status) == lock else {
        return false
      }
      // Who cleans has it open, too, but holds no lock while others do.
      return SystemFiles.text("/proc/\(process)/fdinfo/\(descriptor)").contains("FLOCK")
    }
  }

  private static func target(of link: String) -> String? {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink(link, &bytes, bytes.count)
    guard count >= 0 else { return nil }
    return String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
