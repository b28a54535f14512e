import ConclaveBus
import Glibc

/// What a process that was killed while it wrote has left.
extension DurableFile {
  /// Removes the temporary files of dead processes in a directory: `name.123.tmp`.
  ///
  /// - Parameter names: what they are the beginnings of; nil: of anything.
  static func removeHalfWritten(in folder: String, of names: Set<String>? = nil) {
    for file in DurableFile.names(in: folder) {
      let words = file.split(separator: ".", omittingEmptySubsequences: false)
      guard words.count > 2, words.last == "tmp", let process = pid_t(words[words.count - 2]),
        process > 0, kill(process, 0) != 0, errno == ESRCH
      else { continue }
      let name = words.dropLast(2).joined(separator: ".")
      if names?.contains(name) ?? true { unsafe unlink("\(folder)/\(file)") }
    }
  }

  /// The names in a directory; none when there is no such directory.
  static func names(in folder: String) -> [String] {
    guard let entries = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(entries) }
    var found: [String] = []
    while let entry = unsafe readdir(entries) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { found.append(name) }
    }
    return found
  }
}
