import Glibc

/// A directory that is gone with all its contents when this object is.
public final class TemporaryDirectory: Sendable {
  public let path: String

  /// Made in `TMPDIR`, or else in `/tmp`; only this user may enter it.
  public init(_ purpose: String = "conclave") throws {
    let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/\(purpose)-XXXXXX".utf8CString)
    let made = unsafe template.withUnsafeMutableBufferPointer { name -> String? in
      guard let start = name.baseAddress, let result = unsafe mkdtemp(start) else { return nil }
      return unsafe String(cString: result)
    }
    guard let made else { throw SystemFailure("mkdtemp in \(parent)") }
    path = made
  }

  deinit {
    removeTree(path)
    removeSegments(leftBy: path)
  }

  /// The path of `name` in it.
  public func appending(_ name: String) -> String { "\(path)/\(name)" }
}

/// Removes a file, or a directory with what is in it, also where names are not UTF-8. Follows no
/// link.
package func removeTree(_ path: String) { removeTree(Array(path.utf8CString)) }

private func removeTree(_ path: [CChar]) {
  if unsafe unlink(path) == 0 { return }
  guard let directory = unsafe opendir(path) else { return }
  while let entry = unsafe readdir(directory) {
    let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
      unsafe bytes.prefix { $0 != 0 }.map { CChar(bitPattern: $0) }
    }
    let dot = CChar(UInt8(ascii: "."))
    if name == [dot] || name == [dot, dot] { continue }
    removeTree(path.dropLast() + [CChar(UInt8(ascii: "/"))] + name + [0])
  }
  unsafe closedir(directory)
  unsafe rmdir(path)
}

/// A system call that failed in a test's own machinery.
public struct SystemFailure: Error, CustomStringConvertible {
  public let call: String
  public let errorNumber: Int32

  public init(_ call: String, errorNumber: Int32? = nil) {
    self.call = call
    self.errorNumber = errorNumber ?? errno
  }

  public var description: String {
    "\(call): \(unsafe String(cString: strerror(errorNumber)))"
  }
}
