import BusTesting
import Foundation
import Testing

/// A run of the built command's `bus stress` in a world of its own: what it makes for a while, it
/// makes in a directory that tells its workers from those of other tests.
final class StressTool {
  /// The products lie next to the test bundle.
  static let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appendingPathComponent("conclave").path

  struct Outcome {
    let exit: Int32
    let output: String
    let errors: String
  }

  let directory: URL
  private let ownsDirectory: Bool
  private let process = Process()
  private let output = Pipe()
  private let errors = Pipe()

  /// - Parameter place: another run's directory, to share it.
  init(_ arguments: [String], in place: URL? = nil) throws {
    directory =
      place
      ?? FileManager.default.temporaryDirectory
      .appendingPathComponent("conclave-stress-test-\(UUID().uuidString)")
    ownsDirectory = place == nil
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    catchIgnoredSignals()
    process.executableURL = URL(fileURLWithPath: StressTool.path)
    process.arguments = ["bus", "stress"] + arguments
    process.environment = ["TMPDIR": directory.path]
    process.standardOutput = output
    process.standardError = errors
    try process.run()
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    guard ownsDirectory else { return }
    for worker in workers { kill(worker, SIGKILL) }
    try? FileManager.default.removeItem(at: directory)
    // Who was killed may take a moment to be dead.
    var triesLeft = 1000
    while !removeSegments(leftBy: directory.path), triesLeft > 0 {
      usleep(1000)
      triesLeft -= 1
    }
  }

  static func run(_ arguments: [String]) throws -> Outcome { try StressTool(arguments).finish() }

  func finish() throws -> Outcome {
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let notes = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let code = process.terminationStatus
    return Outcome(
      exit: process.terminationReason == .exit ? code : -code,
      output: String(decoding: text, as: UTF8.self),
      errors: String(decoding: notes, as: UTF8.self))
  }

  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// The pids of its workers, whoever their parent is by now.
  var workers: [pid_t] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.compactMap { pid_t($0) }.filter { pid in
      guard let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else {
        return false
      }
      let words = String(decoding: line, as: UTF8.self)
      return words.contains("stress-worker") && words.contains(directory.path)
    }
  }

  /// What it has not removed.
  var leftovers: [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
  }

  /// Waits until it watches for signals and has so many threads: those of the channel transport
  /// are its workers. Before that a signal would simply kill it.
  func waitForThreads(_ count: Int, sourceLocation: SourceLocation = #_sourceLocation) {
    let process = "/proc/\(process.processIdentifier)"
    for _ in 0..<60_000 {
      let status = (try? String(contentsOfFile: "\(process)/status", encoding: .utf8)) ?? ""
      let blocked = status.split(separator: "\n").first { $0.hasPrefix("SigBlk:") } ?? ""
      let mask = UInt64(blocked.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16) ?? 0
      let threads = (try? FileManager.default.contentsOfDirectory(atPath: "\(process)/task")) ?? []
      if mask & (1 << UInt64(SIGINT - 1)) != 0, threads.count >= count { return }
      usleep(10_000)
    }
    Issue.record("no \(count) threads and no watch for signals", sourceLocation: sourceLocation)
  }

  /// Waits until there are so many workers; fails when that does not happen within ten minutes.
  func waitForWorkers(
    _ condition: (Int) -> Bool, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for _ in 0..<60_000 {
      if condition(workers.count) { return }
      usleep(10_000)
    }
    Issue.record("there are \(workers.count) workers", sourceLocation: sourceLocation)
  }
}
