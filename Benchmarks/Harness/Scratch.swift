import ConclaveBus
import Glibc

/// A fresh bus directory and everything that belongs to it, gone at the end of `with`.
struct Scratch {
  let path: String
  let directory: BusDirectory

  /// Runs `body` with a fresh directory. Whatever happens, the directory, its segment and its page
  /// are removed; nobody may use the bus any more when `body` returns.
  static func with<R>(_ body: (Scratch) throws -> R) throws -> R {
    let scratch = try Scratch()
    defer { scratch.remove() }
    return try body(scratch)
  }

  private init() throws {
    let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/conclave-bench-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else {
      throw BenchmarkFailure("cannot make a directory in \(parent): \(systemText())")
    }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    do {
      directory = try BusDirectory(opening: path)
    } catch {
      unsafe rmdir(path)
      throw error
    }
    self.path = path
  }

  /// The file of the bus's segment.
  var segmentPath: String { SharedMemoryBus.segmentPath(of: directory) }

  /// A name for a page of plain shared memory.
  var pagePath: String { "\(segmentPath)-page" }

  /// A directory in the scratch directory for files beside the bus.
  func path(_ name: String) -> String { "\(path)/\(name)" }

  private func remove() {
    unsafe unlink(segmentPath)
    unsafe unlink(pagePath)
    Scratch.removeTree(path)
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
