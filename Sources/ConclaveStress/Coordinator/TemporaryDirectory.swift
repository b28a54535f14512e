package import ConclaveBus
import Glibc

/// A fresh directory of mode 0700 below the system's directory for temporary files, locked as long
/// as its owner lives.
package struct TemporaryDirectory {
  package let path: String
  private let lock: DirectoryLock

  /// - Parameter purpose: part of its name.
  package init(_ purpose: String) throws(BusError) {
    // Whoever sweeps may take a directory away between its making and its locking.
    for _ in 0..<100 {
      let path = try TemporaryDirectory.make(purpose)
      guard let lock = DirectoryLock(path) else { continue }
      self.path = path
      self.lock = lock
      return
    }
    throw systemError(
      "cannot lock a directory in \(TemporaryDirectory.parent)", EAGAIN,
      hint: "set TMPDIR to one of your own")
  }

  /// Removes it with everything in it. What cannot be removed stays.
  package func remove() {
    TemporaryDirectory.removeTree(path)
    lock.release()
  }

  /// Where temporary directories are made.
  static var parent: String {
    guard let named = unsafe getenv("TMPDIR"), unsafe named.pointee != 0 else { return "/tmp" }
    return unsafe String(cString: named)
  }

  private static func prefix(_ purpose: String) -> String { "conclave-\(purpose)-" }

  /// Whether a directory for `purpose` may be called so.
  static func isName(_ name: String, of purpose: String) -> Bool {
    let random = name.dropFirst(prefix(purpose).count)
    return name.hasPrefix(prefix(purpose)) && random.utf8.count == 6
      && random.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
  }

  private static func make(_ purpose: String) throws(BusError) -> String {
    var template = Array("\(parent)/\(prefix(purpose))XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else {
      throw systemError(
        "cannot make a directory in \(parent)", errno, hint: "set TMPDIR to one of your own")
    }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func removeTree(_ path: String) {
    // Never through a symbolic link.
    guard unsafe unlink(path) != 0, errno == EISDIR || errno == EPERM else { return }
    if let stream = unsafe opendir(path) {
      while let entry = unsafe readdir(stream) {
        let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { name in
          unsafe String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != ".", name != ".." { removeTree("\(path)/\(name)") }
      }
      unsafe closedir(stream)
    }
    unsafe rmdir(path)
  }
}
