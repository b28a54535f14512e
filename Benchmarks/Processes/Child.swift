import CShim
import Glibc

/// A worker process as its benchmark sees it.
final class Child {
  let name: String
  private let pid: pid_t
  private var orders: Int32
  private let reports: Int32
  private let interruption: Interruption
  private var partial: [UInt8] = []
  private var isReaped = false

  /// Starts this program as the worker that `words` call.
  init(_ words: [String], _ interruption: Interruption) throws {
    name = words.first ?? ""
    self.interruption = interruption
    var down: [Int32] = [-1, -1]
    var up: [Int32] = [-1, -1]
    guard unsafe conclave_spawn_pipe(&down) == 0 else { throw Child.failure("make a pipe", errno) }
    defer { close(down[0]) }
    guard unsafe conclave_spawn_pipe(&up) == 0 else {
      close(down[1])
      throw Child.failure("make a pipe", errno)
    }
    defer { close(up[1]) }
    let all = ["conclave-bench", WorkerRole.word] + words
    var arguments = unsafe all.map { unsafe strdup($0) } + [nil]
    defer { unsafe arguments.forEach { unsafe free($0) } }
    var pid: pid_t = 0
    let failure = unsafe conclave_spawn_self(&arguments, down[0], up[1], &pid)
    self.pid = pid
    orders = down[1]
    reports = up[0]
    isReaped = failure != 0
    if failure != 0 { throw Child.failure("start a process", failure) }
  }

  deinit {
    kill()
    close(reports)
  }

  /// Starts its work, or whatever comes next.
  func order() throws {
    var byte = UInt8(ascii: "\n")
    guard unsafe write(orders, &byte, 1) == 1 else { throw Child.failure("order \(name)", errno) }
  }

  /// Waits until it is prepared.
  func awaitReady() throws { _ = try nextLine() }

  /// Waits for its numbers.
  func result() throws -> [UInt64] {
    let words = try nextLine().split(separator: " ")
    let numbers = words.dropFirst().compactMap { UInt64($0) }
    guard words.first == "done", numbers.count == words.count - 1 else {
      throw BenchmarkFailure("\(name) said \(words.joined(separator: " "))")
    }
    return numbers
  }

  /// Lets it end, and waits for that.
  func finish() {
    if orders >= 0 { close(orders) }
    orders = -1
    reap()
  }

  /// Stops it, or lets it go on.
  func signal(_ number: Int32) {
    if !isReaped { _ = Glibc.kill(pid, number) }
  }

  /// Ends it, whatever it does.
  func kill() {
    if !isReaped { _ = Glibc.kill(pid, SIGKILL) }
    finish()
  }

  private func reap() {
    while !isReaped {
      var status: Int32 = 0
      isReaped = unsafe waitpid(pid, &status, 0) >= 0 || errno != EINTR
    }
  }

  private func nextLine() throws -> String {
    while true {
      if let end = partial.firstIndex(of: UInt8(ascii: "\n")) {
        defer { partial.removeFirst(end + 1) }
        return String(decoding: partial[..<end], as: UTF8.self)
      }
      guard try interruption.wait(for: reports, milliseconds: 60_000) else {
        throw BenchmarkFailure("\(name) said nothing for 60 s")
      }
      var chunk = [UInt8](repeating: 0, count: 256)
      let count = unsafe read(reports, &chunk, chunk.count)
      guard count > 0 else { throw BenchmarkFailure("\(name) ended too soon") }
      partial += chunk.prefix(count)
    }
  }

  private static func failure(_ what: String, _ number: Int32) -> BenchmarkFailure {
    BenchmarkFailure("cannot \(what): \(systemText(number))")
  }
}

/// Starts a worker for each of `words`, waits until all are prepared, and runs `body`. None of them
/// is left afterwards.
func withChildren<R>(
  _ words: [[String]], _ interruption: Interruption, _ body: ([Child]) throws -> R
) throws -> R {
  var children: [Child] = []
  defer { for child in children { child.kill() } }
  for words in words { children.append(try Child(words, interruption)) }
  for child in children { try child.awaitReady() }
  let result = try body(children)
  for child in children { child.finish() }
  return result
}
