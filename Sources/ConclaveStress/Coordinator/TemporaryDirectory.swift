package import ConclaveBus
import Glibc

/// A fresh directory of mode 0700 below the system's directory for temporary files.
package struct TemporaryDirectory {
  package let path: String

  /// - Parameter purpose: part of its name.
  package init(_ purpose: String = "stress") throws(BusError) {
    let parent =
      if let named = unsafe getenv("TMPDIR"), unsafe named.pointee != 0 {
        unsafe String(cString: named)
      } else { "/tmp" }
    var template = Array("\(parent)/conclave-\(purpose)-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else {
      throw systemError(
        "cannot make a directory in \(parent)", errno, hint: "set TMPDIR to one of your own")
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Removes it with everything in it. What cannot be removed stays.
  package func remove() { TemporaryDirectory.removeTree(path) }

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
