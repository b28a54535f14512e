import BusTesting
import ConclaveBus
import Glibc
import SharedRing

@testable import ConclaveRunner

/// Runs a line of shell to its end.
func runShell(
  _ line: String, input: String = "", in directory: String = "/tmp", stop: StopSignal? = nil,
  _ change: @Sendable (inout ChildRequest) -> Void = { _ in },
  onLongRun: @escaping @Sendable (Duration) -> Void = { _ in }
) async throws -> ChildResult {
  var request = ChildRequest(
    "/bin/sh", ["-c", line], environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"],
    directory: directory)
  request.input = Array(input.utf8)
  change(&request)
  let ready = request
  return try await onThread { try ChildRun.run(ready, stop: stop, onLongRun: onLongRun) }
}

final class Counter: Sendable {
  private let number = Lock(0)
  var count: Int { number.withLock { $0 } }
  func add() { number.withLock { $0 += 1 } }
}

/// Small files, as tests make them and look at them.
enum Files {
  static func text(_ path: String) -> String {
    let file = unsafe open(path, O_RDONLY)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = unsafe read(file, &chunk, chunk.count), count > 0 {
      bytes += chunk[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  static func write(_ path: String, _ text: String, executable: Bool = false) {
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    precondition(file >= 0, path)
    defer { close(file) }
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
      precondition(count > 0)
      rest = rest.dropFirst(count)
    }
    if executable { fchmod(file, 0o700) }
  }

  static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }
}

extension ProcessTable {
  /// Who works in a directory. A pid alone would not do to find somebody again: on a machine that
  /// starts many processes it may be another's before a test comes to look.
  static func workers(in directory: String) -> [pid_t] {
    var wanted = stat()
    precondition(unsafe stat(directory, &wanted) == 0, directory)
    return look().entries.filter { process in
      var found = stat()
      return unsafe stat("/proc/\(process.pid)/cwd", &found) == 0 && found.st_dev == wanted.st_dev
        && found.st_ino == wanted.st_ino
    }.map(\.pid)
  }
}
