import CShim
import ConclaveBus
import Glibc

/// The reading end of what a program writes to.
struct ChildPipe {
  private(set) var captured: CapturedOutput
  private var file: OwnedFile?

  /// The pipe, and the end for the program.
  static func make(limit: Int) throws(BusError) -> (ChildPipe, OwnedFile) {
    var ends: [Int32] = [-1, -1]
    guard unsafe conclave_child_pipe(&ends) == 0 else { throw systemError("make a pipe") }
    return (ChildPipe(OwnedFile(ends[0]), limit), OwnedFile(ends[1]))
  }

  private init(_ file: OwnedFile, _ limit: Int) {
    captured = CapturedOutput(tailLimit: limit)
    self.file = file
  }

  /// -1 at the end, which `poll` passes over.
  var number: Int32 { file?.number ?? -1 }

  /// Takes what there is, without waiting; no more than 16 MiB at once, so that a program that
  /// never pauses cannot keep us from looking at the clock.
  mutating func read() {
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    for _ in 0..<256 {
      guard let number = file?.number else { return }
      let count = unsafe Glibc.read(number, &chunk, chunk.count)
      if count > 0 {
        captured.append(chunk[..<count])
      } else if count == 0 || (errno != EINTR && errno != EAGAIN) {
        file = nil
      } else if errno == EAGAIN {
        return
      }
    }
  }
}

/// A descriptor that is closed with its last owner.
final class OwnedFile: Sendable {
  let number: Int32
  init(_ number: Int32) { self.number = number }
  deinit { if number >= 0 { close(number) } }

  /// A nameless file in memory that holds `bytes`: as standard input it can neither block its
  /// writer nor its reader.
  static func inMemory(_ bytes: [UInt8]) throws(BusError) -> OwnedFile {
    let file = OwnedFile(conclave_memory_file())
    guard file.number >= 0 else { throw systemError("make a file in memory") }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe write(file.number, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw systemError("write a file in memory") }
      rest = rest.dropFirst(count)
    }
    _ = lseek(file.number, 0, SEEK_SET)
    return file
  }
}
