import BusTesting
import Foundation
import Testing

/// `conclave bus publish --idempotency-key`: repeated, and killed at every system call.
@Suite(.blocking) struct IdempotencyKeyTests {
  private let arguments = [
    "bus", "publish", "t", "-s", "s", "-t", "x", "--transport", "file", "--bus-dir", "bus",
    "--payload",
  ]

  /// How many lines there are with each key.
  private func keys(_ directory: URL) throws -> [String: Int] {
    let file = directory.appendingPathComponent("bus/t.jsonl")
    let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    var counts: [String: Int] = [:]
    for match in text.matches(of: /"idempotencyKey":"([^"]*)"[,}]/) {
      counts[String(match.1), default: 0] += 1
    }
    #expect(text.isEmpty || text.hasSuffix("\n"))
    return counts
  }

  @Test(arguments: ["file", "mirror"])
  func aRepetitionSucceedsAndSaysNothing(_ transport: String) throws {
    let arguments = arguments.dropLast() + ["--transport", transport, "--payload"]
    try withDirectory { directory in
      defer { _ = try? Tool.run(["bus", "clean", "--yes", "--bus-dir", "bus"], in: directory) }
      for key in ["a", "a", "b", "a"] {
        let outcome = try Tool.run(
          arguments + ["1", "--idempotency-key", key], in: directory)
        #expect(outcome == Outcome(exit: 0, output: "", errors: ""))
      }
      #expect(try keys(directory) == ["a": 1, "b": 1])
      let json = try Tool.run(
        arguments + ["1", "--idempotency-key", "a", "--json"], in: directory)
      #expect(json == Outcome(exit: 0, output: "{\"published\":1}\n", errors: ""))
    }
  }

  /// Whether strace can be had and may trace here.
  static let canTrace: Bool = {
    let directory = FileManager.default.temporaryDirectory
    return (try? Tool.shell("strace -f -o /dev/null true", in: directory))?.exit == 0
  }()

  /// Killed before each system call in turn that changes or locks something, and published again:
  /// the message is there once. `isFirst`: the kill hits a bus that is being made.
  @Test(
    .enabled(if: canTrace),
    arguments: [
      "openat", "mkdir", "mkdirat", "flock", "fcntl", "ftruncate", "pread64", "pwrite64", "write",
      "statx", "close",
    ], [true, false])
  func killedAtEachSystemCall(_ call: String, _ isFirst: Bool) throws {
    try withDirectory { directory in
      var (number, exit) = (0, Int32(-1))
      // Ends with the first run that has fewer calls than that.
      repeat {
        number += 1
        if isFirst {
          try? FileManager.default.removeItem(at: directory.appendingPathComponent("bus"))
        }
        let command = arguments.joined(separator: " ") + " 1 --idempotency-key k\(number)"
        let line =
          "strace -f -o /dev/null -e trace=\(call)"
          + " -e inject=\(call):signal=SIGKILL:when=\(number) '\(Tool.path)' \(command)"
        exit = try Tool.shell(line, in: directory).exit
        let again = try Tool.run(
          arguments + ["1", "--idempotency-key", "k\(number)"], in: directory)
        #expect(again.exit == 0, "\(again.errors)")
        #expect(try keys(directory)["k\(number)"] == 1, "killed at \(call) \(number)")
      } while exit != 0 && number < 1000
      #expect(exit == 0)
      // What every publish with a key does.
      if ["flock", "fcntl", "pread64", "pwrite64", "write"].contains(call) { #expect(number > 1) }
      #expect(try keys(directory).values.allSatisfy { $0 == 1 })
    }
  }
}
