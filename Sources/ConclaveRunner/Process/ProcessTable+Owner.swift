import Glibc

extension ProcessTable {
  /// A process that has the file open, as far as this user may see.
  static func owner(ofFile path: String) -> pid_t? {
    var wanted = stat()
    guard unsafe stat(path, &wanted) == 0 else { return nil }
    return look().entries.first { process in
      let folder = "/proc/\(process.pid)/fd"
      guard let list = unsafe opendir(folder) else { return false }
      defer { unsafe closedir(list) }
      while let entry = unsafe readdir(list) {
        let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
          unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        var found = stat()
        if unsafe stat("\(folder)/\(name)", &found) == 0, found.st_dev == wanted.st_dev,
          found.st_ino == wanted.st_ino
        {
          return true
        }
      }
      return false
    }?.pid
  }
}
