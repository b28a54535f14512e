import ConclaveBus
import ConclaveStress
import Glibc

/// A fresh bus directory and everything that belongs to it, gone at the end of `with`.
struct Scratch {
  private let temporary: TemporaryDirectory
  let directory: BusDirectory

  /// Runs `body` with a fresh directory. Whatever happens, the directory, its segment and its page
  /// are removed; nobody may use the bus any more when `body` returns.
  static func with<R>(_ body: (Scratch) throws -> R) throws -> R {
    let scratch = try Scratch()
    defer { scratch.remove() }
    return try body(scratch)
  }

  private init() throws {
    temporary = try TemporaryDirectory("bench")
    do {
      directory = try BusDirectory(opening: temporary.path)
    } catch {
      temporary.remove()
      throw error
    }
  }

  var path: String { temporary.path }

  /// The file of the bus's segment.
  var segmentPath: String { SharedMemoryBus.segmentPath(of: directory) }

  /// A name for a page of plain shared memory.
  var pagePath: String { "\(segmentPath)-page" }

  /// A directory in the scratch directory for files beside the bus.
  func path(_ name: String) -> String { "\(path)/\(name)" }

  private func remove() {
    unsafe unlink(segmentPath)
    unsafe unlink(pagePath)
    temporary.remove()
  }
}
