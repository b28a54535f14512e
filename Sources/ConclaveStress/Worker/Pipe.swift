import CShim
import ConclaveBus
import Glibc

/// The two ends of a pipe, closed on exec.
struct Pipe {
  let readEnd: Int32
  let writeEnd: Int32

  init() throws(BusError) {
    var ends: [Int32] = [-1, -1]
    guard unsafe conclave_spawn_pipe(&ends) == 0 else {
      throw systemError("cannot make a pipe", errno, hint: "raise the limit of open files")
    }
    readEnd = ends[0]
    writeEnd = ends[1]
  }
}

/// Writes the whole line; returns whether there is still a reader.
@discardableResult
func writeLine(_ line: String, to descriptor: Int32) -> Bool {
  let bytes = Array((line + "\n").utf8)
  var sent = 0
  while sent < bytes.count {
    let count = unsafe bytes.withUnsafeBytes { buffer in
      unsafe write(descriptor, buffer.baseAddress?.advanced(by: sent), buffer.count - sent)
    }
    if count < 0, errno != EINTR { return false }
    sent += max(0, count)
  }
  return true
}

/// Takes what is read from a descriptor apart into lines.
struct LineBuffer {
  private var partial: [UInt8] = []
  private var chunk = [UInt8](repeating: 0, count: 65_536)

  /// Reads once, waiting for something if need be; nil at the end.
  mutating func read(_ descriptor: Int32) -> [String]? {
    let count = unsafe chunk.withUnsafeMutableBytes { buffer in
      unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
    }
    guard count > 0 else { return count < 0 && errno == EINTR ? [] : nil }
    partial += chunk.prefix(count)
    guard let end = partial.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
    let lines = String(decoding: partial[..<end], as: UTF8.self)
    partial.removeFirst(end + 1)
    return lines.split(separator: "\n").map(String.init)
  }
}

/// A failed system call as an error that people can read.
func systemError(_ what: String, _ number: Int32, hint: String = "") -> BusError {
  BusError(.system, "\(what): \(unsafe String(cString: strerror(number)))", hint: hint)
}
