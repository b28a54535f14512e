import ConclaveBus
import Glibc

/// Standard input, read as it comes.
struct Input {
  /// More than this in one piece is refused before memory runs out; a bus takes less anyway.
  static let pieceLimit = 64 << 20
  private static let chunkBytes = 256 << 10

  private var chunk = [UInt8](repeating: 0, count: Input.chunkBytes)
  /// The beginning of a line whose end has not been read yet.
  private var partial: [UInt8] = []
  private var ended = false
  /// Ends the input, as if there were no more, once it is readable; -1 for nothing.
  private let interruption: Int32

  init(interruption: Int32 = -1) { self.interruption = interruption }

  /// Whether a person is expected to type.
  static var isTerminal: Bool { isatty(STDIN_FILENO) == 1 }

  /// Everything up to the end.
  ///
  /// - Throws: `messageTooLarge`, `system`.
  mutating func readAll() throws(BusError) -> [UInt8] {
    var all: [UInt8] = []
    while true {
      let count = try readChunk()
      if count == 0 { return all }
      all += chunk.prefix(count)
      try Input.checkSize(all.count, of: "standard input")
    }
  }

  /// The lines that are there now, without their line feeds: at least one, waiting for it if need
  /// be; nil at the end. A last line may lack its line feed.
  ///
  /// - Throws: `messageTooLarge` for a line that never seems to end, `system`.
  mutating func nextLines() throws(BusError) -> [[UInt8]]? {
    while !ended {
      let count = try readChunk()
      if count == 0 {
        ended = true
        // Cut off by an interruption, what is left is no line.
        return partial.isEmpty || isInterrupted ? nil : [partial]
      }
      let lines = splitChunk(count)
      if !lines.isEmpty { return lines }
      try Input.checkSize(partial.count, of: "a line")
    }
    return nil
  }

  /// Takes the finished lines out of the chunk and keeps what is behind the last line feed.
  private mutating func splitChunk(_ count: Int) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    var rest = chunk[..<count]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      lines.append(partial + rest[..<end])
      partial.removeAll(keepingCapacity: false)
      rest = rest[(end + 1)...]
    }
    partial += rest
    return lines
  }

  private var isInterrupted: Bool {
    var request = pollfd(fd: interruption, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&request, 1, 0) == 1
  }

  /// Sleeps until there is something to read, or an interruption.
  private func wait() {
    var requests = [STDIN_FILENO, interruption].map {
      pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
    }
    _ = unsafe poll(&requests, 2, -1)
  }

  /// Reads what is there, waiting until something is; 0 at the end.
  private mutating func readChunk() throws(BusError) -> Int {
    while true {
      if interruption >= 0 {
        wait()
        if isInterrupted { return 0 }
      }
      let count = unsafe chunk.withUnsafeMutableBytes { buffer in
        unsafe read(STDIN_FILENO, buffer.baseAddress, buffer.count)
      }
      if count >= 0 { return count }
      switch errno {
      case EINTR: continue
      case EAGAIN: wait()
      default:
        throw BusError(
          .system, "cannot read standard input: \(errorText(errno))",
          hint: "give it a file or a pipe, or use --payload")
      }
    }
  }

  private static func checkSize(_ count: Int, of what: String) throws(BusError) {
    guard count > pieceLimit else { return }
    throw BusError(
      .messageTooLarge, "\(what) is longer than \(pieceLimit >> 20) MiB",
      hint: "split it, or publish the name of a file that holds it")
  }
}
