import CShim
import Glibc

/// The reference for waiting for the disk: nothing but the system calls.
enum BareSync {
  static func perSecond(_ scratch: Scratch, count: Int) throws -> Double {
    let file = try SyncedFile(scratch.path("bare-sync"), lines: 1)
    let start = conclave_monotonic_ns()
    for _ in 0..<count { try file.append() }
    return Double(count) / Double(conclave_monotonic_ns() - start) * 1e9
  }
}

/// The least that a group commit can cost: all processes are woken, say that they are there, and
/// sleep again; the last of them wakes the one who writes a line for each and syncs once.
enum BareGroup {
  static func perSecond(
    _ setting: Setting, _ scratch: Scratch, processes: Int, rounds: Int
  ) throws -> Double {
    let page = try TurnPage(scratch.pagePath)
    let file = try SyncedFile(scratch.path("bare-group"), lines: processes)
    let words = [FutexGroupWorker.name, scratch.pagePath, "\(processes)", "\(rounds)"]
    let workers = [[String]](repeating: words, count: processes)
    return try withChildren(workers, setting.interruption) { children in
      for child in children { try child.order() }
      let start = conclave_monotonic_ns()
      for round in 1...UInt32(rounds) {
        page.give(round, .there)
        try page.await(round, .back)
        try file.append()
      }
      return Double(processes * rounds) / Double(conclave_monotonic_ns() - start) * 1e9
    }
  }
}

/// Comes to each round.
enum FutexGroupWorker: Worker {
  static let name = "futex-group"

  static func run(_ words: WorkerWords, _ line: ParentLine) throws {
    let page = try TurnPage(words.text(0))
    let (processes, rounds) = (UInt32(try words.number(1)), UInt32(try words.number(2)))
    line.awaitStart()
    line.endWithParent()
    for round in 1...rounds {
      try page.await(round, .there)
      page.join(processes, .back)
    }
  }
}

/// A file and what is appended to it at a time.
private struct SyncedFile: ~Copyable {
  private let path: String
  private let file: Int32
  private let text: [UInt8]

  init(_ path: String, lines: Int) throws {
    self.path = path
    file = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    text = [UInt8](repeating: UInt8(ascii: "x"), count: 430 * lines)
    guard file >= 0 else { throw BenchmarkFailure("cannot open \(path): \(systemText())") }
  }

  deinit { close(file) }

  borrowing func append() throws {
    guard unsafe write(file, text, text.count) == text.count, fdatasync(file) == 0 else {
      throw BenchmarkFailure("cannot write \(path): \(systemText())")
    }
  }
}
