import Glibc

/// Who has the lock of a topic file, for people: what `/proc/locks` says (proc(5)).
enum FileLockHolder {
  /// The error of a publisher that has waited long enough.
  static func busy(_ file: OwnedDescriptor, _ patience: Duration) -> BusError {
    let holder = process(of: file).map { "process \($0)" } ?? "another process"
    return BusError(
      .busy, "\(holder) has kept the topic's file locked for \(patience)",
      hint: "it may be stopped: let it go on (kill -CONT) or end it, then publish again")
  }

  /// The pid; nil when nobody has the lock, or this process cannot see who.
  static func process(of file: OwnedDescriptor) -> Int32? {
    var status = stat()
    guard unsafe fstat(file.number, &status) == 0 else { return nil }
    let inode = ":\(status.st_ino)"
    for line in SystemFiles.text("/proc/locks").split(separator: "\n") {
      // "1: FLOCK  ADVISORY  WRITE 8334 fe:00:16220246 0 EOF"; who waits has "->" in second place.
      let words = line.split(separator: " ")
      guard words.count >= 6, words[1] == "FLOCK", words[3] == "WRITE", words[5].hasSuffix(inode),
        let process = Int32(words[4]), process > 0
      else { continue }
      return process
    }
    return nil
  }
}
