public import Glibc
import SharedRing

/// A program that a test runs: fed through a socket, its output kept in files, killed and reaped
/// when this object goes.
///
/// Output goes to files without a name, not to pipes, so a child that writes much never waits for
/// the test to read. Methods that wait block the calling thread; use them in ``onThread(_:)``.
public final class ChildProcess: Sendable {
  public enum Exit: Hashable, Sendable {
    case code(Int32)
    case signal(Int32)
  }

  public let pid: pid_t
  private let input: Lock<Int32?>
  private let outputs: [Int32]
  private let exit = Lock<Exit?>(nil)

  /// Starts `executable` (searched for in `PATH` when it has no slash).
  ///
  /// - Parameter environment: all of it; nil: this process's own.
  public init(
    _ executable: String, _ arguments: [String] = [], environment: [String: String]? = nil,
    workingDirectory: String? = nil
  ) throws {
    outputs = [try namelessFile(), try namelessFile()]
    var ends: [Int32] = [-1, -1]
    guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | closeOnExec, 0, &ends) == 0
    else { throw SystemFailure("socketpair") }
    input = Lock(ends[0])
    defer { close(ends[1]) }
    do {
      pid = try spawn(
        command(executable, arguments, in: workingDirectory),
        environment: environment?.map { "\($0.key)=\($0.value)" } ?? currentEnvironment(),
        descriptors: [ends[1]] + outputs)
    } catch {
      for descriptor in outputs + [ends[0]] { close(descriptor) }
      throw error
    }
  }

  deinit {
    kill(SIGKILL)
    _ = try? wait(within: .seconds(10))
    closeInput()
    for descriptor in outputs { close(descriptor) }
  }

  /// Writes all of `text` to the child's standard input; waits while the child does not read.
  public func write(_ text: String) throws {
    guard let descriptor = input.withLock({ $0 }) else {
      throw SystemFailure("write after closeInput", errorNumber: EBADF)
    }
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      // MSG_NOSIGNAL: a child that died must not kill the test with SIGPIPE.
      let count = unsafe rest.withUnsafeBytes { bytes in
        unsafe send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw SystemFailure("write to child \(pid)") }
      rest = rest.dropFirst(count)
    }
  }

  /// The child reads the end of its standard input.
  public func closeInput() {
    if let descriptor = input.withLock({ $0.take() }) { close(descriptor) }
  }

  /// Sends a signal unless the child has been reaped.
  public func kill(_ signal: Int32) {
    exit.withLock { if $0 == nil { _ = Glibc.kill(pid, signal) } }
  }

  /// What the child has written so far.
  public var standardOutput: String { contents(of: outputs[0]) }
  public var standardError: String { contents(of: outputs[1]) }

  /// Waits until the child has ended.
  public func wait(within limit: Duration = hangLimit) throws -> Exit {
    try waitUntil("child \(pid) ends", within: limit) { try reap() }
  }

  /// Waits until `condition` holds for what the child has written to its standard output.
  public func waitForOutput(
    within limit: Duration = hangLimit, until condition: (String) -> Bool
  ) throws -> String {
    try waitUntil("output of child \(pid)", within: limit) {
      let output = standardOutput
      if condition(output) { return output }
      if try reap() != nil, !condition(standardOutput) {
        throw Violation(
          expected: "output of child \(pid)",
          seen: "its end after \"\(standardOutput)\", \"\(standardError)\"")
      }
      return nil
    }
  }

  private func reap() throws -> Exit? {
    try exit.withLock { exit in
      if let exit { return exit }
      var status: Int32 = 0
      let result = unsafe waitpid(pid, &status, WNOHANG)
      guard result != -1 || errno == EINTR else { throw SystemFailure("waitpid") }
      guard result == pid else { return nil }
      let signal = status & 0x7F
      exit = signal == 0 ? .code((status >> 8) & 0xFF) : .signal(signal)
      return exit
    }
  }

  private func contents(of descriptor: Int32) -> String {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe pread(descriptor, &chunk, chunk.count, bytes.count)
      guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(contentsOf: chunk.prefix(count))
    }
  }
}

/// Asks again every millisecond until there is an answer. Blocks the calling thread.
public func waitUntil<R>(
  _ what: String, within limit: Duration = hangLimit, _ answer: () throws -> R?
) throws -> R {
  let deadline = ContinuousClock.now.advanced(by: limit)
  while true {
    if let answer = try answer() { return answer }
    guard ContinuousClock.now < deadline else {
      throw Violation(expected: what, seen: "nothing of it within \(limit)")
    }
    usleep(1000)
  }
}
