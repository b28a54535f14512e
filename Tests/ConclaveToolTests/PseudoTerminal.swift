import BusTesting
import Foundation
import Testing

/// The command with a terminal as its standard input, output and error.
final class PseudoTerminal {
  private(set) var terminal: TinyTerminal
  /// All that was written.
  private(set) var raw = ""
  private let process = Process()
  private let master: Int32

  init(
    _ arguments: [String], in directory: URL, environment: [String: String] = [:], columns: Int,
    rows: Int
  ) throws {
    terminal = TinyTerminal(columns: columns, rows: rows)
    master = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    // What posix_openpt(3) and its kin do, which Swift's Glibc does not have.
    var isLocked: Int32 = 0
    var number: Int32 = 0
    let (unlock, getNumber) = (UInt(0x4004_5431), UInt(0x8004_5430))
    try #require(unsafe ioctl(master, unlock, &isLocked) == 0)
    try #require(unsafe ioctl(master, getNumber, &number) == 0)
    let slave = unsafe open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
    try #require(slave >= 0)
    _ = fcntl(master, F_SETFL, O_NONBLOCK)
    let end = FileHandle(fileDescriptor: slave, closeOnDealloc: true)
    catchIgnoredSignals()
    process.executableURL = URL(fileURLWithPath: Tool.path)
    process.arguments = arguments
    process.currentDirectoryURL = directory
    process.environment = ["TERM": "xterm"].merging(environment) { $1 }
    process.standardInput = end
    process.standardOutput = end
    process.standardError = end
    setSize(columns, rows)
    try process.run()
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    close(master)
  }

  var text: [String] { terminal.text }

  func resize(columns: Int, rows: Int) {
    read()
    terminal.resize(columns: columns, rows: rows)
    setSize(columns, rows)
  }

  /// What the terminal does at Ctrl-C, when the command is in front.
  func interrupt() { kill(process.processIdentifier, SIGINT) }

  func wait(until condition: ([String]) -> Bool) throws {
    try eventually {
      read()
      return condition(terminal.text)
    }
  }

  func finish() throws -> Int32 {
    try eventually {
      read()
      return !process.isRunning
    }
    read()
    return process.terminationStatus
  }

  private func setSize(_ columns: Int, _ rows: Int) {
    var size = winsize(
      ws_row: UInt16(rows), ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
    _ = unsafe ioctl(master, UInt(TIOCSWINSZ), &size)
  }

  private func read() {
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while case let count = unsafe Glibc.read(master, &chunk, chunk.count), count > 0 {
      terminal.feed(Array(chunk[..<count]))
      raw += String(decoding: chunk[..<count], as: UTF8.self)
    }
  }
}
